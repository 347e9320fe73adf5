import { expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createThreadEncoder, loadTextCodec } from '../../../src/text/index.ts';
import { STORIES_DIR } from '../../fakes/baked-artifact.ts';

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

test('ThreadEncoder.encode() fails where the thread cannot start, and after it was disposed of another starts', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'sdfp-encoder-'));
  const broken = createThreadEncoder(empty);
  expect(String(await broken.encode('a').catch((error) => error))).toMatch(/tokenizer's thread ended/);
  await rm(empty, { recursive: true });
  const encoder = createThreadEncoder(STORIES_DIR);
  const first = await encoder.encode('Once');
  const pending = encoder.encode('x'.repeat(100_000)).catch((error) => error);
  await encoder[Symbol.asyncDispose]();
  expect(await pending).toMatchObject({ code: 'internal' });
  expect(await encoder.encode('Once')).toEqual(first);
  await encoder[Symbol.asyncDispose]();
});
