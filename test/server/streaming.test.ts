import { describe, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdmission } from '../../src/server/index.ts';
import { formatEvent, sseBody } from '../../src/server/sse.ts';
import { createHarness, parseEvents, textOf } from './harness.ts';

const PATH = '/v1/completions';
const forever = { prompt: 'abc', max_tokens: 400, ignore_eos: true, stream: true };

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return new TextDecoder().decode(value);
}

/** Waits until `condition` holds; fails after a second. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 200) throw new Error(`Still not: ${condition}`);
    await sleep(5);
  }
}

describe('streams', () => {
  test('a comment comes at once, and again while the first token is waited for', async () => {
    const { post } = createHarness({ engine: { roundMs: 60 }, limits: { keepAliveMs: 20 } });
    const response = await post(PATH, { prompt: 'abc', stream: true });
    const text = await response.text();
    expect(text).toStartWith(': ok\n\n: keep-alive\n\n');
    expect(parseEvents(text).at(-1)!.data).toBe('[DONE]');
  });

  test('a client that cancels the body stops the generation', async () => {
    const { post, engine, log } = createHarness({ engine: { roundMs: 2 } });
    const reader = (await post(PATH, { ...forever, n: 3 })).body!.getReader();
    await readText(reader);
    await readText(reader);
    expect(engine.ended()).toBe(0);
    await reader.cancel();
    await until(() => engine.ended() === 3);
    expect(engine.rounds()).toBeLessThan(20);
    expect(JSON.parse(log[0]!).status).toBe(499);
  });

  test('a client whose connection breaks stops the generation, streamed or not', async () => {
    for (const stream of [true, false]) {
      const { post, engine, log } = createHarness({ engine: { roundMs: 2 } });
      const connection = new AbortController();
      const response = post(PATH, { ...forever, stream }, { signal: connection.signal });
      if (stream) await (await response).body!.getReader().read();
      else response.catch(() => {});
      await until(() => stream || engine.begun() === 1);
      connection.abort();
      await until(() => engine.ended() === engine.begun());
      await sleep(20);
      expect(engine.rounds()).toBeLessThan(30);
      if (!stream) expect(JSON.parse(log[0]!).status).toBe(499);
    }
  });

  test('a client that reads nothing makes the server take nothing more', async () => {
    const { post, engine } = createHarness();
    const reader = (await post(PATH, forever)).body!.getReader();
    await sleep(50);
    expect(engine.rounds()).toBeLessThan(5);
    await reader.cancel();
  });

  test('when its time is over a stream ends with what there is', async () => {
    const { post, engine } = createHarness({ engine: { roundMs: 10 }, limits: { requestTimeoutMs: 60 } });
    const events = parseEvents(await (await post(PATH, forever)).text());
    expect(events.at(-1)!.data).toBe('[DONE]');
    const chunks = events.slice(0, -1).map(({ data }) => Object(data));
    expect(textOf(chunks)).toStartWith('abc');
    expect(chunks.at(-1).choices[0].finish_reason).toBe('length');
    expect(engine.ended()).toBe(1);
  });

  test('without a token in time it fails with timed_out, and its place is free', async () => {
    const { post, engine } = createHarness({
      engine: { roundMs: 500 },
      limits: { requestTimeoutMs: 30 },
      admission: createAdmission(1),
    });
    const response = await post(PATH, { ...forever, stream: false });
    expect(response.status).toBe(504);
    expect((await response.json()).error.code).toBe('timed_out');
    const events = parseEvents(await (await post(PATH, forever)).text());
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { error: { code: 'timed_out' } } });
    await until(() => engine.ended() === 2);
  });

  test('a place taken by a client that reads nothing is free after the time limit', async () => {
    const { post } = createHarness({ limits: { requestTimeoutMs: 30 }, admission: createAdmission(1) });
    const stuck = await post(PATH, forever);
    expect((await post(PATH, { prompt: 'a' })).status).toBe(429);
    await sleep(50);
    expect((await post(PATH, { prompt: 'a' })).status).toBe(200);
    await stuck.body!.cancel();
  });
});

describe('sseBody()', () => {
  test('writes events as they come and closes', async () => {
    async function* events(): AsyncGenerator<string> {
      yield formatEvent('1');
      yield formatEvent('2', 'error');
    }
    const text = await new Response(sseBody(events(), { keepAliveMs: 1000, onCancel: () => {} })).text();
    expect(text).toBe(': ok\n\ndata: 1\n\nevent: error\ndata: 2\n\n');
  });

  test('runs the finally of its events when it is cancelled', async () => {
    const seen: string[] = [];
    async function* events(): AsyncGenerator<string> {
      try {
        for (;;) yield formatEvent('x');
      } finally {
        seen.push('finally');
      }
    }
    const reader = sseBody(events(), { keepAliveMs: 1000, onCancel: () => seen.push('cancel') }).getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    await reader.cancel();
    expect(seen).toEqual(['cancel', 'finally']);
  });
});
