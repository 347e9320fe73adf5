import { afterAll, beforeAll, expect, test } from 'bun:test';
import { median } from '../../src/lib/median.ts';
import { RandomStream } from '../../src/lib/random.ts';
import {
  disconnectAtRandom,
  EVENT_LOOP_PROBE,
  longestStall,
  randomLetters,
  readMetric,
  sendMixed,
  streamText,
  timeToFirstToken,
  untilIdle,
} from './load.ts';
import type { ServerProcess } from './server-process.ts';
import { startStoryServer } from './story-server.ts';

const prompt = 'Once upon a time';

let server: ServerProcess;

beforeAll(async () => {
  server = await startStoryServer({ preload: [EVENT_LOOP_PROBE] });
}, 60_000);

afterAll(async () => void (await server?.stop()), 30_000);

test('64 streams at once give the texts that they give alone', async () => {
  const ask = (seed: number): Promise<string> =>
    streamText(server.url, { prompt: `${prompt} ${seed % 7}`, max_tokens: 12, seed });
  const seeds = Array.from({ length: 64 }, (_, seed) => seed);
  const together = await Promise.all(seeds.map(ask));
  const alone: string[] = [];
  for (const seed of seeds) alone.push(await ask(seed));
  expect(together).toEqual(alone);
  expect(new Set(together).size).toBeGreaterThan(32);
}, 60_000);

test('after 50 disconnects at random moments nothing runs or waits within a second', async () => {
  await disconnectAtRandom(server.url, 50, 800);
  expect(await untilIdle(server.url, 1000)).toBeLessThan(1000);
}, 30_000);

test('mixed requests with random cancels are all answered and leave nothing behind', async () => {
  await sendMixed(server.url, { count: 40, atOnce: 16, seed: 1 });
  const before = await readMetric(server.url, 'process_resident_memory_bytes');
  const { outcomes, failures } = await sendMixed(server.url, { count: 160, atOnce: 24, seed: 2 });
  await untilIdle(server.url, 1000);
  const after = await readMetric(server.url, 'process_resident_memory_bytes');
  expect(failures).toEqual([]);
  expect(outcomes.answered + outcomes.cancelled + outcomes.refused).toBe(160);
  expect(outcomes.answered).toBeGreaterThan(100);
  // The collector works when it likes; what 160 leaked requests would hold (a context of KV cache each) is far more.
  expect(after - before).toBeLessThan(200 * 1024 * 1024);
}, 60_000);

test('the event loop stands still for under 50 ms, with 16 streams and with prompts of 100,000 characters', async () => {
  const stream = (seed: number) => streamText(server.url, { prompt, max_tokens: 48, ignore_eos: true, seed });
  const refused = async (prompt: string): Promise<void> => {
    const body = JSON.stringify({ prompt });
    const response = await fetch(`${server.url}/v1/completions`, { method: 'POST', body });
    expect((await response.json()).error.code).toBe('context_length_exceeded');
  };
  const random = new RandomStream(1);
  const letters = randomLetters(random, 100_000);
  const longest = { streams: [] as number[], prompts: [] as number[] };
  for (let i = 0; i < 3; i++) {
    const streams = () => Promise.all(Array.from({ length: 16 }, (_, seed) => stream(seed)));
    longest.streams.push(await longestStall(server, streams));
    const prompts = () => Promise.all([letters, 'zebra '.repeat(17_000)].map(refused));
    longest.prompts.push(await longestStall(server, prompts));
  }
  console.log(`longest stalls: ${JSON.stringify(longest)} ms`);
  // The aim is 20 ms; a machine that does other things too takes the processor away for longer at times.
  expect(median(longest.streams)).toBeLessThan(50);
  expect(median(longest.prompts)).toBeLessThan(50);
}, 60_000);

test('the first token comes soon when nothing else runs', async () => {
  const times: number[] = [];
  for (let i = 0; i < 9; i++) times.push(await timeToFirstToken(server.url, { prompt, max_tokens: 4 }));
  console.log(`time to first token, idle: median ${median(times).toFixed(1)} ms`);
  expect(median(times)).toBeLessThan(250);
});
