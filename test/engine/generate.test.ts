import { describe, expect, test } from 'bun:test';
import type { SamplingParams } from '../../src/engine/types.ts';
import { SAMPLING_BOUNDS } from '../../src/lib/sampling-bounds.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { collect, requestOf, scriptedEngine } from './helpers.ts';

const neutral: Partial<SamplingParams> = { temperature: 1, seed: 3 };

describe('sampling at its bounds', () => {
  const { logitBias, ...numbers } = SAMPLING_BOUNDS;
  const cases = Object.entries(numbers).flatMap(([name, { min, max }]) =>
    [min, max].map((value) => ({ [name]: value })),
  );
  const bias = {
    logitBias: new Map([
      [1, logitBias.min],
      [2, logitBias.max],
    ]),
  };
  const high = Object.fromEntries(Object.entries(numbers).map(([name, { max }]) => [name, max]));
  const low = Object.fromEntries(Object.entries(numbers).map(([name, { min }]) => [name, min]));
  test.each([...cases, bias, { ...high, ...bias }, { ...low, ...bias, temperature: 1e-4 }])(
    '%j',
    async (sampling) => {
      const model = new ScriptedModel({ spread: 1000 });
      const request = requestOf({ maxTokens: 100, sampling: { ...neutral, ...sampling } });
      const run = await collect(scriptedEngine(model), request);
      expect(run.ids).toHaveLength(100);
    },
  );
});

describe('generate', () => {
  test('a request that fails between its place in the model and its start gives the place back', async () => {
    const model = new ScriptedModel();
    const request = {
      ...requestOf(),
      // Read again when the model's place is taken: the sequence is made after it.
      get stopTokenIds(): readonly number[] {
        if (model.openSequences > 0) throw new Error('no sequence');
        return [];
      },
    };
    await expect(collect(scriptedEngine(model), request)).rejects.toThrow('no sequence');
    expect([model.openedSequences, model.openSequences]).toEqual([1, 0]);
  });

  test('without speculation runs one target step per token and gives the greedy text', async () => {
    const model = new ScriptedModel();
    const run = await collect(scriptedEngine(model), requestOf({ speculation: { enabled: false } }));
    expect(run.ids).toEqual(model.greedy([1, 2, 3], 16));
    expect(model.steps.map((step) => step.mode)).toEqual(new Array(16).fill('target'));
    expect(run.origins).toEqual(new Array(16).fill('target'));
    expect(run.done).toMatchObject({
      finishReason: 'length',
      stats: {
        promptTokens: 3,
        generatedTokens: 16,
        numSpecSteps: 0,
        numDraftTokens: 0,
        numAcceptedTokens: 0,
      },
    });
  });

  test('accepts exactly the draft tokens that agree', async () => {
    // The draft disagrees about every fourth position: after the first token, rounds of 3 accepted + 1 recovered.
    const model = new ScriptedModel({ agrees: (position) => position % 4 !== 3 });
    const request = requestOf({ promptIds: [1, 2, 3], maxTokens: 13, speculation: { draftLength: 5 } });
    const run = await collect(scriptedEngine(model), request);
    expect(run.ids).toEqual(model.greedy([1, 2, 3], 13));
    const round = ['draft', 'draft', 'draft', 'target'] as const;
    expect(run.origins).toEqual(['target', ...round, ...round, ...round]);
    expect(run.done.stats).toMatchObject({
      generatedTokens: 13,
      numSpecSteps: 3,
      numDraftTokens: 5 + 5 + 3, // the last round has room for three and the target's own
      numAcceptedTokens: 9,
      acceptedPerPosition: [3, 3, 3, 0, 0],
    });
  });

  test('full acceptance gives the bonus token: draft length + 1 tokens a round', async () => {
    const model = new ScriptedModel();
    const request = requestOf({ promptIds: [5], maxTokens: 15, speculation: { draftLength: 4 } });
    const run = await collect(scriptedEngine(model), request);
    expect(run.ids).toEqual(model.greedy([5], 15));
    expect(run.done.stats).toMatchObject({ numSpecSteps: 3, numDraftTokens: 12, numAcceptedTokens: 12 });
    expect(model.steps.filter((step) => step.mode === 'target').map((step) => step.width)).toEqual([5, 5, 5]);
  });

  test('a draft that never agrees costs steps but not the text', async () => {
    const model = new ScriptedModel({ agrees: () => false, vocabSize: 64 });
    const run = await collect(scriptedEngine(model), requestOf({ speculation: { draftLength: 3 } }));
    expect(run.ids).toEqual(model.greedy([1, 2, 3], 16));
    expect(run.done.stats.numAcceptedTokens).toBe(0);
    expect(run.done.stats.numSpecSteps).toBe(14); // not the first round, nor the last, which has room for one token
  });

  test("a caller's draft length is used in every round with room for it", async () => {
    for (const draftLength of [1, 2, 7, 16]) {
      const model = new ScriptedModel({ agrees: () => false, vocabSize: 64 });
      await collect(scriptedEngine(model), requestOf({ maxTokens: 40, speculation: { draftLength } }));
      const widths = model.steps.filter((step) => step.mode === 'target').map((step) => step.width);
      const roundsWithRoom = widths.slice(1, 40 - draftLength);
      expect(new Set(roundsWithRoom)).toEqual(new Set([draftLength + 1]));
    }
  });

  test('ends with the stop token, also in the middle of a draft', async () => {
    const model = new ScriptedModel({ vocabSize: 64 });
    const text = model.greedy([1, 2, 3], 16);
    const stop = text[6]!;
    const first = text.indexOf(stop);
    for (const draftLength of [0, 1, 4, 16]) {
      const run = await collect(
        scriptedEngine(model),
        requestOf({ stopTokenIds: [stop], speculation: { draftLength } }),
      );
      expect(run.ids).toEqual(text.slice(0, first + 1));
      expect(run.done.finishReason).toBe('stop');
      expect(run.done.stats.generatedTokens).toBe(first + 1);
      expect(run.origins.filter((origin) => origin === 'draft')).toHaveLength(
        run.done.stats.numAcceptedTokens,
      );
    }
  });

  test('a long prompt is run in chunks and gives the same text', async () => {
    const model = new ScriptedModel({ maxContextTokens: 1000 });
    const promptIds = Array.from({ length: 700 }, (_, i) => (i * 7) % 32);
    const run = await collect(
      scriptedEngine(model),
      requestOf({ promptIds, speculation: { draftLength: 2 } }),
    );
    expect(run.ids).toEqual(model.greedy(promptIds, 16));
    expect(Math.max(...model.steps.map((step) => step.width))).toBe(128);
    expect(run.done.stats.prefillMs).toBeGreaterThan(0);
  });

  test('is cut at the end of the context with finish reason length', async () => {
    const model = new ScriptedModel({ maxContextTokens: 10 });
    for (const draftLength of [0, 3, 16]) {
      const run = await collect(
        scriptedEngine(model),
        requestOf({ maxTokens: 99, speculation: { draftLength } }),
      );
      expect(run.ids).toEqual(model.greedy([1, 2, 3], 7));
      expect(run.done.finishReason).toBe('length');
    }
  });

  test('maxTokens 0 generates nothing', async () => {
    const model = new ScriptedModel();
    const run = await collect(scriptedEngine(model), requestOf({ maxTokens: 0 }));
    expect(run.ids).toEqual([]);
    expect(run.done).toMatchObject({ finishReason: 'length', stats: { generatedTokens: 0 } });
    expect(model.steps).toEqual([]);
  });
});

describe('logprobs', () => {
  const logSoftmax = (logits: Float32Array) => {
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return [...logits].map((logit) => logit - Math.log(total));
  };

  test('are those of the raw logits, whatever temperature, filters and speculation do', async () => {
    const model = new ScriptedModel({ agrees: (position) => position % 3 !== 0 });
    for (const draftLength of [0, 4]) {
      const run = await collect(
        scriptedEngine(model),
        requestOf({
          topLogprobs: 3,
          sampling: {
            temperature: 1.7,
            topK: 9,
            repetitionPenalty: 1.3,
            logitBias: new Map([[4, 2]]),
            seed: 11,
          },
          speculation: { draftLength },
        }),
      );
      const ids = [1, 2, 3];
      for (const [i, id] of run.ids.entries()) {
        const expected = logSoftmax(model.logitsAfter(ids, 'target'));
        expect(run.logprobs[i]!.logprob).toBeCloseTo(expected[id]!, 5);
        const ranked = expected.map((_, token) => token).sort((a, b) => expected[b]! - expected[a]!);
        expect(run.logprobs[i]!.top.map((entry) => entry.id)).toEqual(ranked.slice(0, 3));
        expect(run.logprobs[i]!.top[0]!.logprob).toBeCloseTo(expected[ranked[0]!]!, 5);
        ids.push(id);
      }
      expect(run.logprobs).toHaveLength(run.ids.length);
    }
  });

  test('of the prompt come first, with null for the token that has no context', async () => {
    const model = new ScriptedModel({ maxContextTokens: 1000 });
    const promptIds = Array.from({ length: 300 }, (_, i) => (i * 5) % 32);
    for (const maxTokens of [0, 4]) {
      const run = await collect(
        scriptedEngine(model),
        requestOf({ promptIds, maxTokens, promptLogprobs: true, topLogprobs: 2 }),
      );
      expect(run.ids).toEqual(model.greedy(promptIds, maxTokens));
      expect(run.prompt!.logprobs).toHaveLength(300);
      expect(run.prompt!.logprobs[0]).toBeNull();
      for (const at of [1, 127, 128, 129, 299]) {
        const expected = logSoftmax(model.logitsAfter(promptIds.slice(0, at), 'target'));
        expect(run.prompt!.logprobs[at]!.logprob).toBeCloseTo(expected[promptIds[at]!]!, 5);
      }
    }
  });
});
