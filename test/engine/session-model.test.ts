import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createEngine } from '../../src/engine/index.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { startEngineWorker } from '../../src/worker/index.ts';
import { GOLDEN_MODELS, readGolden } from '../golden/models.ts';
import { prunedCases } from '../graph/golden.ts';
import { goldenOptions, openGoldenEngine } from './golden-engine.ts';
import { collect, requestOf } from './helpers.ts';
import { randomRequest, withDraftLength, withoutSpeculation } from './random-request.ts';

setDefaultTimeout(60_000); // a machine of two busy cores

describe('engine over a session', () => {
  for (const model of GOLDEN_MODELS) {
    const golden = readGolden(model);
    const greedy = requestOf({ promptIds: golden.prompt_ids, maxTokens: golden.greedy.length });

    for (const [i, { dropped }] of prunedCases(golden).entries()) {
      test(`${model}: golden greedy tokens with draft ${i} of every length`, async () => {
        const engine = await openGoldenEngine(model, dropped);
        expect((await collect(engine, withoutSpeculation(greedy))).ids).toEqual([...golden.greedy]);
        for (const draftLength of [undefined, 1, 4, 16]) {
          const run = await collect(engine, withDraftLength(greedy, draftLength));
          expect(run.ids).toEqual([...golden.greedy]);
          if (draftLength !== undefined) expect(run.done.stats.numDraftTokens).toBeGreaterThan(20);
        }
        await engine.dispose();
      });
    }

    test(`${model}: prompt logprobs add up to the golden nll`, async () => {
      const engine = await openGoldenEngine(model, []);
      expect(engine.info.hasDraft).toBe(false);
      for (const [i, { ids }] of golden.fisher.sequences.entries()) {
        const run = await collect(engine, requestOf({ promptIds: ids, maxTokens: 0, promptLogprobs: true }));
        const nll = run.prompt!.logprobs.reduce((sum, entry) => sum - (entry?.logprob ?? 0), 0);
        expect(Math.abs(nll / golden.nll[i]! - 1)).toBeLessThan(1e-4);
      }
      await engine.dispose();
    });
  }
});

describe('smollm2-tied with a draft', () => {
  const dropped = [
    { layer: 2, block: 'attn' },
    { layer: 3, block: 'mlp' },
    { layer: 4, block: 'attn' },
  ] as const;

  test('random requests give the same text with speculation on, off and any draft length', async () => {
    const engine = await openGoldenEngine('smollm2-tied', dropped);
    const random = new RandomStream(99);
    let [drafted, accepted] = [0, 0];
    for (let round = 0; round < 20; round++) {
      const request = randomRequest(random, engine.info.vocabSize, 16);
      const plain = await collect(engine, withoutSpeculation(request));
      for (const draftLength of [undefined, 1, 2, 3, 5, 8]) {
        const run = await collect(engine, withDraftLength(request, draftLength));
        expect(run.ids).toEqual(plain.ids);
        drafted += run.done.stats.numDraftTokens;
        accepted += run.done.stats.numAcceptedTokens;
      }
    }
    expect(accepted).toBeGreaterThan(drafted * 0.05); // the draft is a real one, and it errs
    expect(accepted).toBeLessThan(drafted * 0.95);
    await engine.dispose();
  });

  test('random requests with prompts that repeat themselves give the same text by lookup', async () => {
    const random = new RandomStream(41);
    for (const units of [dropped, []]) {
      const engine = await openGoldenEngine('smollm2-tied', units);
      const origins: string[] = [];
      for (let round = 0; round < 12; round++) {
        const request = randomRequest(random, engine.info.vocabSize, 24);
        const own = (await collect(engine, withoutSpeculation(request))).ids;
        const repeating = { ...request, promptIds: [...request.promptIds, ...own, ...request.promptIds] };
        const plain = await collect(engine, withoutSpeculation(repeating));
        for (const draftLength of [undefined, 1, 3, 8, 16]) {
          const run = await collect(engine, withDraftLength(repeating, draftLength));
          expect(run.ids).toEqual(plain.ids);
          origins.push(...run.origins);
        }
      }
      expect(origins).toContain(units.length > 0 ? 'draft' : 'lookup');
      await engine.dispose();
    }
  });

  test('a long text crosses cache blocks and prefill chunks without changing', async () => {
    const options = await goldenOptions('smollm2-tied', dropped);
    const engine = await createEngine({ ...options, spec: { ...options.spec, maxContextTokens: 300 } });
    const promptIds = Array.from({ length: 180 }, (_, i) => (i * 31) % 380);
    const request = requestOf({ promptIds, maxTokens: 999, sampling: { temperature: 1, seed: 3 } });
    const plain = await collect(engine, withoutSpeculation(request));
    expect(plain.done.finishReason).toBe('length');
    expect(promptIds.length + plain.ids.length).toBe(300);
    expect((await collect(engine, withDraftLength(request, 4))).ids).toEqual(plain.ids);
    await engine.dispose();
  });

  test('a worker gives the text of this thread', async () => {
    const options = await goldenOptions('smollm2-tied', dropped);
    const worker = await startEngineWorker(options);
    const engine = await openGoldenEngine('smollm2-tied', dropped);
    const request = requestOf({ maxTokens: 40, sampling: { temperature: 0.9, seed: 5 }, topLogprobs: 2 });
    const [there, here] = [await collect(worker, request), await collect(engine, request)];
    expect(there.ids).toEqual(here.ids);
    expect(there.logprobs.map((entry) => entry.top[0]!.id)).toEqual(
      here.logprobs.map((entry) => entry.top[0]!.id),
    );
    expect(worker.info).toEqual(engine.info);
    await Promise.all([worker.dispose(), engine.dispose()]);
  });

  test('measureSteps() gives a cost for a draft step and every width', async () => {
    const engine = await openGoldenEngine('smollm2-tied', dropped);
    const costs = engine.measureSteps({ pastTokens: 100, widest: 8, runs: 3 });
    expect(costs.targetMs).toHaveLength(8);
    expect(costs.draftStartMs).toBeGreaterThanOrEqual(0);
    expect([costs.draftMs, ...costs.targetMs].every((ms) => ms > 0 && ms < 1000)).toBe(true);
    expect(engine.stepCosts().targetMs).toHaveLength(17);
    await engine.dispose();
  });

  test('profile() accounts for the turns', async () => {
    const engine = await openGoldenEngine('smollm2-tied', dropped);
    await collect(engine, requestOf({ maxTokens: 30, speculation: { draftLength: 2 } }));
    const { turns, turnMs, runs, runMs, feedMs, samplingMs, otherMs } = engine.profile();
    expect(turns).toBeGreaterThan(9);
    expect(runs.map((run) => run.mode)).toContain('draft');
    expect(runMs + feedMs + samplingMs + otherMs).toBeCloseTo(turnMs, 6);
    for (const part of [runMs, feedMs, samplingMs, otherMs]) expect(part).toBeGreaterThan(0);
    engine.resetProfile();
    expect(engine.profile().turns).toBe(0);
    await engine.dispose();
  });

  test('150 requests after a warm-up leave the memory flat', async () => {
    const engine = await openGoldenEngine('smollm2-tied', dropped);
    const random = new RandomStream(6);
    const run = async (count: number) => {
      for (let i = 0; i < count; i++) await collect(engine, randomRequest(random, engine.info.vocabSize, 6));
      Bun.gc(true);
      return process.memoryUsage().rss / 2 ** 20;
    };
    const before = await run(75);
    expect((await run(150)) - before).toBeLessThan(16);
    await engine.dispose();
  });
});
