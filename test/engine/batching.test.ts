import { describe, expect, test } from 'bun:test';
import type { Engine, GenerateRequest } from '../../src/engine/types.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { busyFor } from './busy.ts';
import { openGoldenEngine, openInt4Engine } from './golden-engine.ts';
import { collect, requestOf, scriptedEngine } from './helpers.ts';
import { randomRequest, withDraftLength, withoutSpeculation } from './random-request.ts';

/** Whole generations one after another, then the same ones at once. */
async function compareWithAlone(engine: Engine, requests: readonly GenerateRequest[]): Promise<void> {
  const alone: number[][] = [];
  for (const request of requests) alone.push((await collect(engine, request)).ids);
  const together = await Promise.all(requests.map(async (request) => (await collect(engine, request)).ids));
  expect(together).toEqual(alone);
}

describe('rounds of several requests', () => {
  test('share target steps, and each request gets the text that it gets alone', async () => {
    const random = new RandomStream(77);
    for (let round = 0; round < 12; round++) {
      const model = new ScriptedModel({ vocabSize: 24, agrees: (position) => position % 3 !== 0 });
      const requests = Array.from({ length: 16 }, (_, i) => {
        const request = randomRequest(random, 24, 40);
        return i % 3 === 0 ? withDraftLength(request, i % 5) : request;
      });
      await compareWithAlone(scriptedEngine(model), requests);
      expect(Math.max(...model.batches)).toBeGreaterThan(4);
      expect(model.openSequences).toBe(0);
    }
  });

  test('a request that comes later joins those that run, and leaves them when it is done', async () => {
    const model = new ScriptedModel({ maxContextTokens: 5000 });
    const engine = scriptedEngine(model);
    const long = [0, 1, 2].map((seed) =>
      collect(engine, withoutSpeculation(requestOf({ maxTokens: 400, sampling: { seed } }))),
    );
    while (model.batches.length < 50) await Bun.sleep(0);
    const before = model.batches.length;
    await collect(engine, withoutSpeculation(requestOf({ maxTokens: 20 })));
    const during = model.batches.slice(before);
    expect(during.filter((size) => size === 4).length).toBeGreaterThan(15);
    await Promise.all(long);
    expect(model.batches.at(-1)).toBeGreaterThanOrEqual(1);
    expect(model.batches.slice(before + during.length + 5, -5).every((size) => size <= 3)).toBe(true);
  });

  test('a cancelled request does not hold up those that share its steps', async () => {
    const model = new ScriptedModel({ maxContextTokens: 5000 });
    const engine = scriptedEngine(model);
    const stop = new AbortController();
    const request = withoutSpeculation(requestOf({ maxTokens: 300 }));
    const others = [1, 2].map(() => collect(engine, request));
    const cancelled = collect(engine, request, stop.signal).catch((error: unknown) => error);
    while (model.batches.length < 50) await Bun.sleep(0);
    stop.abort();
    expect(await cancelled).toBeInstanceOf(DOMException);
    const alone = model.greedy(request.promptIds, 300);
    for (const { ids } of await Promise.all(others)) expect(ids).toEqual(alone);
    expect(model.openSequences).toBe(0);
  });
});

describe('turns', () => {
  test('none has more than a draft or a step, however many requests draft', async () => {
    const model = new ScriptedModel();
    const engine = scriptedEngine(model);
    const requests = Array.from({ length: 16 }, (_, seed) =>
      withDraftLength(requestOf({ maxTokens: 40, sampling: { seed } }), 4),
    );
    let [most, last, isOver] = [0, 0, false];
    const look = () => {
      most = Math.max(most, model.steps.length - last);
      last = model.steps.length;
      if (!isOver) setImmediate(look);
    };
    look();
    await Promise.all(requests.map((request) => collect(engine, request)));
    isOver = true;
    // This model counts a step for each of the 16 that share one; all drafts of a round are 64.
    expect(most).toBeGreaterThan(8);
    expect(most).toBeLessThanOrEqual(16);
  });

  test('a long prompt is not kept waiting by the cheap rounds of many', async () => {
    const model = new ScriptedModel({
      maxContextTokens: 5000,
      onStep: (_, width) => busyFor(width > 8 ? 6 : 0.1),
    });
    const engine = scriptedEngine(model);
    const stop = new AbortController();
    const decoding = Array.from({ length: 15 }, (_, seed) =>
      collect(
        engine,
        withoutSpeculation(requestOf({ maxTokens: 4000, sampling: { seed } })),
        stop.signal,
      ).catch(() => undefined),
    );
    while (model.batches.length < 60) await Bun.sleep(0);
    const before = model.batches.length;
    await collect(engine, requestOf({ promptIds: new Array<number>(1100).fill(4), maxTokens: 1 }));
    // 9 parts of 6 ms, each charged as if all 16 had shared it: some 4 rounds in between. Charged in full they would be 60.
    expect(model.batches.length - before).toBeLessThan(150);
    stop.abort();
    await Promise.all(decoding);
  });
});

describe('runs of several sequences in a real session', () => {
  const dropped = [
    { layer: 1, block: 'attn' },
    { layer: 2, block: 'mlp' },
  ] as const;

  for (const [name, target, open] of [
    ['smollm2-tied', 'stored', openGoldenEngine],
    ['qwen3-v5config', 'stored', openGoldenEngine],
    ['llama2-sharded-bf16', 'stored', openGoldenEngine],
    ['smollm2-tied', 'int4', openInt4Engine],
    ['llama2-sharded-bf16', 'int4', openInt4Engine],
  ] as const) {
    test(`${name}, ${target}: texts of 12 requests at once are those of each alone`, async () => {
      const engine = await open(name, dropped);
      const random = new RandomStream(5);
      // Prompts in two arenas (of 256 and 1,024 positions), some of which grow from one into the other, drafts of several
      // widths, sampled and greedy.
      const requests = Array.from({ length: 12 }, (_, i) => {
        const length = i % 3 === 0 ? 200 + 8 * i : 1 + random.nextInt(120);
        const promptIds = Array.from({ length }, () => random.nextInt(engine.info.vocabSize));
        const request = requestOf({
          promptIds,
          maxTokens: i % 3 === 0 ? 70 : 10 + 8 * i,
          sampling: { temperature: i % 2 === 0 ? 0 : 0.8, seed: i },
        });
        return i % 4 === 3 ? withDraftLength(request, 1 + (i % 6)) : request;
      });
      await compareWithAlone(engine, requests);
      await engine.dispose();
    });
  }
});
