import { describe, expect, test } from 'bun:test';
import { type HeldStream, holdStream } from '../../src/server/held/held-stream.ts';

const encoder = new TextEncoder();

/** A stream of the given chunks that counts how many were taken. */
function sourceOf(chunks: readonly string[]) {
  const state = { taken: 0, isCancelled: false };
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[state.taken];
        if (chunk === undefined) return controller.close();
        state.taken++;
        controller.enqueue(encoder.encode(chunk));
      },
      cancel() {
        state.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { state, source };
}

const EVENTS = Array.from({ length: 10 }, (_, index) => `data: ${index}\n\n`);

function hold(chunks: readonly string[], options: { maxBytes?: number; keepMs?: number } = {}) {
  const { state, source } = sourceOf(chunks);
  const drops: number[] = [];
  const onDrop = (): void => void drops.push(1);
  const { keepMs = 1000, maxBytes = 1000 } = options;
  const stream = holdStream(source, { keepMs: () => keepMs, maxBytes, onDrop });
  return { state, stream, drops };
}

async function readAll(stream: HeldStream, after: number): Promise<string> {
  return new Response(stream.read(after, new AbortController().signal)).text();
}

describe('holdStream()', () => {
  test('numbers events, passes comments on and holds only events', async () => {
    const { stream } = hold([': ok\n\n', 'data: a\n\n', ': keep-alive\n\n', 'data: b\n\n']);
    expect(await readAll(stream, 0)).toBe(': ok\n\nid: 1\ndata: a\n\n: keep-alive\n\nid: 2\ndata: b\n\n');
    expect(await readAll(stream, 1)).toBe('id: 2\ndata: b\n\n');
    expect(await readAll(stream, 2)).toBe('');
    expect(stream.read(3, new AbortController().signal)).toBeUndefined();
    stream.drop();
    expect(stream.read(0, new AbortController().signal)).toBeUndefined();
  });

  test('holds no more than its bytes, the newest ones', async () => {
    const { stream } = hold(EVENTS, { maxBytes: 50 });
    await readAll(stream, 0);
    expect(stream.read(5, new AbortController().signal)).toBeUndefined();
    expect(await readAll(stream, 8)).toContain('data: 9');
    stream.drop();
  });

  test('takes nothing from the source while nobody reads', async () => {
    const { stream, state } = hold(EVENTS);
    const reader = stream.read(0, new AbortController().signal)!.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    const { taken } = state;
    expect(taken).toBeLessThanOrEqual(5); // one ahead
    await reader.cancel();
    expect(stream.isRead).toBe(false);
    await Bun.sleep(20);
    expect(state.taken).toBe(taken);
    stream.drop();
    expect(state.isCancelled).toBe(true);
  });

  test('a second reader gets the rest, the first one ends', async () => {
    const { stream } = hold(EVENTS);
    const reader = stream.read(0, new AbortController().signal)!.getReader();
    await reader.read();
    expect(await readAll(stream, 1)).toStartWith('id: 2\ndata: 1');
    let count = 0;
    while (!(await reader.read()).done) count++;
    expect(count).toBeLessThanOrEqual(1);
    stream.drop();
  });

  test('a connection that has aborted gets nothing and does not keep it', async () => {
    const { stream, drops } = hold(EVENTS, { keepMs: 10 });
    const reader = stream.read(0, new AbortController().signal)!.getReader();
    await reader.read();
    expect(await new Response(stream.read(1, AbortSignal.abort())).text()).toBe('');
    expect(stream.isRead).toBe(true);
    expect((await reader.read()).done).toBe(false); // the other one reads on
    await reader.cancel();
    await new Response(stream.read(1, AbortSignal.abort())).text();
    expect(stream.isRead).toBe(false);
    await Bun.sleep(40);
    expect(drops).toHaveLength(1);
  });

  test('is dropped once, when the reader stays away', async () => {
    const { stream, state, drops } = hold(EVENTS, { keepMs: 10 });
    const connection = new AbortController();
    const reader = stream.read(0, connection.signal)!.getReader();
    await reader.read();
    await Bun.sleep(40);
    expect(drops).toHaveLength(0); // read all the while
    connection.abort();
    await Bun.sleep(40);
    stream.drop();
    expect(drops).toHaveLength(1);
    expect(state.isCancelled).toBe(true);
  });
});
