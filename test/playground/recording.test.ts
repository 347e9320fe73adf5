import { expect, test } from 'bun:test';
import type { CompletionEvent, EndEvent, TextEvent } from '../../src/client/index.ts';
import { findDifference, type Recording, record, replay, speedOf } from '../../src/playground/recording.ts';
import { describeRace } from '../../src/playground/verdict.ts';

const textEvent = (text: string, id: number): TextEvent => ({
  type: 'text',
  text,
  tokenIds: [id],
  origins: ['target'],
});

const endEvent = (text: string, tokenIds: number[]): EndEvent => ({
  type: 'end',
  text,
  tokenIds,
  origins: tokenIds.map(() => 'target'),
});

function streamOf(...events: CompletionEvent[]) {
  async function* iterate(): AsyncGenerator<CompletionEvent> {
    yield* events;
  }
  return Object.assign(iterate(), { collect: () => Promise.reject(new Error('not asked for')) });
}

const recordingOf = (text: string, ids: number[], totalMs: number): Recording => ({
  events: [],
  end: endEvent(text, ids),
  totalMs,
});

test('record() keeps every event with its time', async () => {
  let clock = 90;
  const seen: number[] = [];
  const recording = await record(
    streamOf(textEvent('a', 1), textEvent('b', 2), endEvent('ab', [1, 2])),
    ({ atMs }) => seen.push(atMs),
    () => (clock += 10),
  );
  expect(seen).toEqual([10, 20]);
  expect(recording.totalMs).toBe(30);
  expect(recording.events.map(({ event }) => event.text)).toEqual(['a', 'b']);
  expect(speedOf(recording)).toBeCloseTo(2000 / 30);
});

test('record() of a stream without an end fails', async () => {
  const broken = record(streamOf(textEvent('a', 1)), () => {});
  expect(broken).rejects.toThrow('no end');
});

test('replay() takes the time of the recording, and none after an abort', async () => {
  const events = [20, 60].map((atMs) => ({ event: textEvent('a', 1), atMs }));
  const recording = { events, end: endEvent('aa', [1, 1]), totalMs: 60 };
  const startMs = performance.now();
  const times: number[] = [];
  await replay(recording, () => times.push(performance.now() - startMs), new AbortController().signal);
  expect(times[0]).toBeGreaterThanOrEqual(19);
  expect(times[1]).toBeGreaterThanOrEqual(59);

  const late = { ...recording, events: [{ event: textEvent('a', 1), atMs: 60_000 }] };
  const controller = new AbortController();
  let count = 0;
  const replayed = replay(late, () => count++, controller.signal);
  controller.abort();
  await replayed;
  expect(count).toBe(1);
});

test.each([
  ['ab', [1, 2], 'ab', [1, 2], undefined],
  ['ab', [1, 2], 'ac', [1, 3], 1],
  ['ab', [1, 2], 'a', [1], 1],
  ['ab', [], 'ac', [], 0],
])('findDifference() of %j %j and %j %j is %p', (textA, idsA, textB, idsB, expected) => {
  expect(findDifference(endEvent(textA, idsA), endEvent(textB, idsB))).toBe(expected);
});

test.each([
  [
    100,
    50,
    'Speculation is 2.00 times as fast: 40.0 tokens/s with speculation, 20.0 without (50 ms and 100 ms).',
  ],
  [
    50,
    100,
    'Speculation is slower, 0.50 times as fast: 20.0 tokens/s with speculation, 40.0 without (100 ms and 50 ms).',
  ],
  [100, 100, 'Both are equally fast: 20.0 tokens/s with speculation, 20.0 without (100 ms and 100 ms).'],
])('describeRace() of equal texts in %d and %d ms', (plainMs, speculativeMs, speed) => {
  const race = describeRace(recordingOf('ab', [1, 2], plainMs), recordingOf('ab', [1, 2], speculativeMs));
  expect(race).toEqual({ texts: 'The texts are equal: 2 of 2 tokens are the same.', speed });
});

test('describeRace() says where texts differ', () => {
  const race = describeRace(recordingOf('ab', [1, 2], 10), recordingOf('ac', [1, 3], 10));
  expect(race.texts).toBe('The texts differ from token 2 on.');
});
