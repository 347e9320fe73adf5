import { expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createThreadEncoder, loadTextCodec } from '../../../src/text/index.ts';
import { STORIES_DIR } from '../../fakes/baked-artifact.ts';
import { createRandom } from '../random.ts';

test('ThreadEncoder.encode() gives what the codec gives, while this thread goes on', async () => {
  const codec = await loadTextCodec(STORIES_DIR);
  await using encoder = createThreadEncoder(STORIES_DIR);
  await encoder.encode('warm');
  const texts = ['', 'Once upon a time 😀', '\ud800', 'The dog ran. '.repeat(8000)];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const found = await Promise.all(texts.map((text) => encoder.encode(text)));
  clearInterval(timer);
  expect(found).toEqual(texts.map((text) => codec.encode(text)));
  expect(ticks).toBeGreaterThan(3);
  const bare = { addSpecialTokens: false };
  expect(await encoder.encode('a', bare)).toEqual(codec.encode('a', bare));
});

/** Letters without order: the slowest text for a tokenizer. */
function letters(count: number): string {
  const random = createRandom(1);
  const A = 'a'.charCodeAt(0);
  return Array.from({ length: count }, () => String.fromCharCode(A + random(26))).join('');
}

test('ThreadEncoder.encode() never encodes texts whose requests are gone before their turn', async () => {
  await using encoder = createThreadEncoder(STORIES_DIR, { abandonedMs: 60_000 });
  await encoder.encode('warm');
  const giant = letters(300_000);
  const startMs = performance.now();
  const ids = await encoder.encode(giant);
  const aloneMs = performance.now() - startMs;
  const request = new AbortController();
  const giants = Array.from({ length: 12 }, () =>
    encoder.encode(giant, { signal: request.signal }).catch((error) => error),
  );
  await Bun.sleep(aloneMs / 10);
  const goneMs = performance.now();
  request.abort(new Error('gone'));
  await encoder.encode(letters(10_000));
  expect(performance.now() - goneMs).toBeLessThan(4 * aloneMs);
  const [first, ...others] = await Promise.all(giants);
  expect(first).toEqual(ids); // it was in the thread, and settles when it has left it
  for (const other of others) expect(String(other)).toBe('Error: gone');
  await expect(encoder.encode('a', { signal: request.signal })).rejects.toThrow('gone');
}, 30_000);

test('ThreadEncoder.encode() ends a thread that goes on for a request that is gone, and starts another', async () => {
  await using encoder = createThreadEncoder(STORIES_DIR, { abandonedMs: 10 });
  await encoder.encode('warm');
  const request = new AbortController();
  const giant = encoder.encode(letters(1_000_000), { signal: request.signal }).catch((error) => error);
  const next = encoder.encode('Once');
  await Bun.sleep(20);
  request.abort(new Error('gone'));
  expect(String(await giant)).toBe('Error: gone');
  expect(await next).toEqual((await loadTextCodec(STORIES_DIR)).encode('Once'));
}, 30_000);

test('ThreadEncoder.encode() takes the shortest text that waits', async () => {
  await using encoder = createThreadEncoder(STORIES_DIR);
  const order: number[] = [];
  const lengths = [100, 40_000, 9000, 20_000];
  const texts = lengths.map((length) => encoder.encode(letters(length)).then(() => order.push(length)));
  await Promise.all(texts);
  expect(order).toEqual([100, 9000, 20_000, 40_000]);
});

test('ThreadEncoder.encode() fails where the thread cannot start', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'sdfp-encoder-'));
  await using broken = createThreadEncoder(empty);
  for (let i = 0; i < 2; i++)
    expect(String(await broken.encode('a').catch((error) => error))).toMatch(/tokenizer's thread ended/);
  await rm(empty, { recursive: true });
});

test('ThreadEncoder.encode() refuses after disposal, the texts on their way too', async () => {
  const encoder = createThreadEncoder(STORIES_DIR);
  await encoder.encode('Once');
  const pending = [100_000, 50_000].map((length) => encoder.encode(letters(length)).catch((error) => error));
  await encoder[Symbol.asyncDispose]();
  await encoder[Symbol.asyncDispose]();
  for (const error of [...(await Promise.all(pending)), await encoder.encode('a').catch((thrown) => thrown)])
    expect(error).toMatchObject({ code: 'engine_closed' });
});
