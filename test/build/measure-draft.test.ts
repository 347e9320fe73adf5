import { describe, expect, test } from 'bun:test';
import { measureDraft, measuringRequests } from '../../src/build/measure-draft.ts';
import type { GenerateRequest, LocalEngine } from '../../src/engine/index.ts';
import type { GenerationStats } from '../../src/engine/types.ts';
import type { StepCosts } from '../../src/lib/speedup.ts';
import { createScriptedEngine } from '../fakes/scripted-engine.ts';

const COSTS: StepCosts = {
  draftMs: 0.3,
  draftStartMs: 0,
  targetMs: Array.from({ length: 9 }, (_, i) => 1 + 0.05 * i),
};

/** An engine with these step costs, of whose drafts of 4 the first `accepted` tokens are accepted in every round. */
function engineOf(accepted: number): { engine: LocalEngine; requests: GenerateRequest[] } {
  const scripted = createScriptedEngine();
  const requests: GenerateRequest[] = [];
  const stats: GenerationStats = {
    promptTokens: 3,
    numCachedTokens: 0,
    generatedTokens: 10 * (accepted + 1),
    numSpecSteps: 10,
    numDraftTokens: 40,
    numAcceptedTokens: 10 * accepted,
    acceptedPerPosition: [0, 1, 2, 3].map((i) => (i < accepted ? 10 : 0)),
    queueMs: 0,
    prefillMs: 0,
    decodeMs: 0,
  };
  const unused = () => {
    throw new Error('not part of this measurement');
  };
  const engine: LocalEngine = {
    ...scripted,
    setVocabulary: unused,
    profile: unused,
    resetProfile: unused,
    stepCosts: unused,
    measureSteps: () => COSTS,
    async *generate(request) {
      requests.push(request);
      yield { type: 'done', finishReason: 'length', stats };
    },
  };
  return { engine, requests };
}

const REQUESTS = measuringRequests([[1], [2], [3], [4], [5], [6]]);

describe('measureDraft()', () => {
  test('gives acceptance in all, by token and by position, over every prompt', async () => {
    const { engine, requests } = engineOf(2);
    const { acceptanceRate, acceptanceByPosition, predictedSpeedup } = await measureDraft(engine, REQUESTS);
    expect(requests).toHaveLength(6);
    expect(acceptanceRate).toBe(0.5);
    expect(acceptanceByPosition).toEqual([1, 1, 0, 0]);
    expect(predictedSpeedup).toBeGreaterThan(1);
  });

  test('drafts a fixed length, which prompt lookup has no part in', async () => {
    const { engine, requests } = engineOf(2);
    await measureDraft(engine, REQUESTS);
    for (const { speculation } of requests)
      expect(speculation).toMatchObject({ enabled: true, draftLength: 4 });
    expect(new Set(requests.map(({ sampling }) => sampling.temperature))).toEqual(new Set([0, 0.7]));
  });

  test('leaves acceptance out where even full acceptance would not do', async () => {
    const { engine, requests } = engineOf(4);
    const { acceptanceRate, predictedSpeedup } = await measureDraft(engine, REQUESTS, { speedupToBeat: 9 });
    expect([acceptanceRate, requests.length]).toEqual([null, 0]);
    expect(predictedSpeedup).toBeLessThan(9);
  });

  test('stops after a prompt of each temperature where the draft cannot win any more', async () => {
    const [bad, good] = [engineOf(0), engineOf(4)];
    const options = { speedupToBeat: 1.5 };
    expect(await measureDraft(bad.engine, REQUESTS, options)).toMatchObject({ acceptanceRate: 0 });
    expect(await measureDraft(good.engine, REQUESTS, options)).toMatchObject({ acceptanceRate: 1 });
    expect([bad.requests.length, good.requests.length]).toEqual([2, 6]);
  });
});
