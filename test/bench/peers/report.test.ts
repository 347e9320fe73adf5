import { expect, test } from 'bun:test';
import { STORIES_DIR } from '../../golden/models.ts';
import { type Arm, generate, OURS } from './peers.ts';
import type { Generation } from './protocol.ts';
import { drawReport, type Measurement, summarise } from './report.ts';

function arm(peer: string, mode: Arm['mode'], isTimed = true): Arm {
  return { peer: { ...OURS, name: peer }, precision: 'f32', mode, isTimed };
}

function measurement(of: Arm, threads: number, round: number, generation: Partial<Generation>): Measurement {
  const ids = generation.ids ?? [5, 6, 7, 8];
  const generations = [{ ids, ms: 8, decodeMs: 6, decoded: 3, ...generation }];
  return { arm: of, threads, round, loadMs: 1, generations, load: 1 };
}

test('summarise() has every number of threads, drawReport() the one with the fastest round', () => {
  const plain = arm('sdfp', 'plain');
  const summary = summarise([
    measurement(plain, 1, 0, { decodeMs: 3 }),
    measurement(plain, 1, 1, { decodeMs: 30 }),
    measurement(plain, 1, 2, { decodeMs: 30 }),
    measurement(plain, 2, 0, { decodeMs: 6 }),
  ]);
  expect(summary.speeds.map(({ threads, decode }) => [threads, decode])).toEqual([
    [1, [1000, 100, 100]],
    [2, [500]],
  ]);
  expect(summary.speeds[0]!.whole).toEqual([500, 500, 500]);
  expect(drawReport(summary, [], 1)).toMatch(/^sdfp f32 +1 +1000 +100 +500 +1\.00 +1000 100 100 +1\.0$/m);
});

test('summarise() compares texts with the plain ones of as many threads, and knows where there are none', () => {
  const peer = arm('other', 'plain');
  const summary = summarise([
    measurement(arm('sdfp', 'plain'), 2, 0, {}),
    measurement(peer, 1, 0, { ids: [1, 1, 1, 1] }),
    measurement(peer, 2, 0, { ids: [5, 6, 9, 8] }),
    measurement(arm('other', 'together', false), 2, 0, { ids: [5, 6, 7, 8] }),
  ]);
  expect(summary.texts.map(({ fromOwn, fromOurs }) => [fromOwn, fromOurs])).toEqual([
    [[-1], [-1]],
    [[-1], null],
    [[2], [-1]],
  ]);
  expect(summary.speeds.map(({ peer: name }) => name)).not.toContain('together');
  expect(drawReport(summary, [], 1)).toMatch(/^other f32, together +0 of 1 +1 of 1 +-$/m);
});

test("sdfp's program answers with texts that a draft does not change, and does not time the first tokens as decoded", async () => {
  const job = {
    modelDir: STORIES_DIR,
    prompts: [[436, 460, 253]],
    tokens: 12,
    threads: 1,
    contextTokens: 512,
  };
  const [plain, draft] = await Promise.all(
    (['plain', 'draft'] as const).map((mode) => generate(arm('sdfp', mode), undefined, job)),
  );
  const [generation] = plain!.generations;
  expect(generation!.ids).toHaveLength(12);
  expect(generation!.decoded).toBe(11);
  expect(generation!.decodeMs).toBeLessThan(generation!.ms);
  expect(draft!.generations[0]!.ids).toEqual([...generation!.ids]);
}, 30_000);
