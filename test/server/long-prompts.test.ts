import { describe, expect, test } from 'bun:test';
import { createDeferred, type Deferred } from '../../src/lib/deferred.ts';
import { createAdmission, type ServedModel } from '../../src/server/index.ts';
import { createByteCodec } from '../fakes/byte-codec.ts';
import { createHarness } from './harness.ts';

interface Call {
  readonly text: string;
  readonly signal: AbortSignal | undefined;
  readonly ids: Deferred<readonly number[]>;
}

/** A server whose long texts go nowhere until the test answers. */
function create({ places = 4, requestTimeoutMs = 10_000 } = {}) {
  const calls: Call[] = [];
  const encodeLong: ServedModel['encodeLong'] = (text, { signal }) => {
    const ids = createDeferred<readonly number[]>();
    calls.push({ text, signal, ids });
    return ids.promise;
  };
  const admission = createAdmission(places);
  const served = { encodeLong };
  return { ...createHarness({ admission, served, limits: { requestTimeoutMs } }), admission, calls };
}

const LONG = 'a'.repeat(9000);
const PATHS = [
  ['/v1/completions', { prompt: LONG }],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: LONG }] }],
  ['/v1/responses', { input: LONG }],
  ['/tokenize', { prompt: LONG }],
] as const;

async function isIdle(admission: { whenIdle(): Promise<void> }): Promise<boolean> {
  return Promise.race([admission.whenIdle().then(() => true), Bun.sleep(20).then(() => false)]);
}

describe('a long prompt', () => {
  test.each(PATHS)(
    'of %s leaves with its client and gives its place back when it is out of the thread',
    async (path, body) => {
      const { post, admission, calls } = create();
      const client = new AbortController();
      const answer = post(path, body, { signal: client.signal });
      while (calls.length === 0) await Bun.sleep(1);
      client.abort();
      await Promise.resolve(answer).catch(() => {});
      expect(calls[0]!.signal?.aborted).toBe(true);
      expect(await isIdle(admission)).toBe(false);
      calls[0]!.ids.resolve([97]);
      expect(await isIdle(admission)).toBe(true);
    },
  );

  test.each(PATHS)('of %s is answered with 504 at the time limit', async (path, body) => {
    const { post, admission, calls } = create({ requestTimeoutMs: 30 });
    const response = await post(path, body);
    expect(response.status).toBe(504);
    expect((await response.json()).error.code).toBe('timed_out');
    expect(calls[0]!.signal?.aborted).toBe(true);
    calls[0]!.ids.reject(new Error('broken'));
    expect(await isIdle(admission)).toBe(true);
  });

  test('of /tokenize takes a place, which is free again after the answer', async () => {
    const { post, calls } = create({ places: 1 });
    const first = post('/tokenize', { prompt: LONG });
    while (calls.length === 0) await Bun.sleep(1);
    expect((await post('/tokenize', { prompt: 'a' })).status).toBe(429);
    calls[0]!.ids.resolve([1, 2]);
    expect((await (await first).json()).count).toBe(2);
    expect((await post('/tokenize', { prompt: 'a' })).status).toBe(200);
  });

  test('that cannot fit is refused with numbers before it is encoded, but counted by /tokenize', async () => {
    let encoded = 0;
    const codec = createByteCodec();
    const text: ServedModel['text'] = {
      ...codec,
      maxUnitsPerToken: 4,
      encode(...args) {
        encoded++;
        return codec.encode(...args);
      },
    };
    const { post } = createHarness({ served: { text } });
    const long = 'a'.repeat(4 * 511 + 1);
    const bodies = [
      ['/v1/completions', { prompt: long }, 'prompt'],
      ['/v1/completions', { prompt: ['a', long] }, 'prompt'],
      ['/v1/chat/completions', { messages: [{ role: 'user', content: long }] }, 'messages'],
      ['/v1/responses', { input: long }, 'input'],
    ] as const;
    for (const [path, body, param] of bodies) {
      const { error } = await (await post(path, body)).json();
      expect(error).toMatchObject({ code: 'context_length_exceeded', param });
      expect(error.message).toMatch(
        /UTF-16 units, at least 51\d tokens, needs fewer than the context of 512 tokens/,
      );
    }
    expect(encoded).toBe(0);
    expect((await (await post('/tokenize', { prompt: long })).json()).count).toBe(2045);
  });
});

describe('a list of prompts', () => {
  test('is encoded at once up to 8192 units together, the rest in the thread', async () => {
    const { post, calls } = create({ places: 64 });
    const prompt = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(400));
    const answer = post('/v1/completions', { prompt, max_tokens: 1 });
    for (let index = 20; index < 40; index++) {
      while (calls.length <= index - 20) await Bun.sleep(1);
      expect(calls[index - 20]!.text).toBe(prompt[index]!);
      calls[index - 20]!.ids.resolve([...new TextEncoder().encode(prompt[index]!)]);
    }
    expect((await (await answer).json()).choices).toHaveLength(40);
    expect(calls).toHaveLength(20);
  });
});
