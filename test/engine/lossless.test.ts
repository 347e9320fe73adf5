import { describe, expect, test } from 'bun:test';
import type { StepMode } from '../../src/engine/model.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { collect, requestOf, scriptedEngine } from './helpers.ts';
import { randomRequest, withDraftLength, withoutSpeculation } from './random-request.ts';
import { chiSquareZ } from './statistics.ts';

describe('coupled verification', () => {
  test('gives the same text with speculation on, off and with any draft length, for random requests', async () => {
    const random = new RandomStream(2024);
    const seen = { draft: 0, lookup: 0, target: 0 };
    for (let round = 0; round < 250; round++) {
      const share = random.next();
      const script = random.nextBits();
      const agrees = (position: number) => new RandomStream(script + position).next() < share;
      // Small vocabularies repeat themselves soon, so that prompt lookup has guesses; without a draft it is alone.
      const vocabSize = random.next() < 0.4 ? 3 + random.nextInt(5) : 32;
      const hasDraft = random.next() < 0.6;
      const draftVocabulary = random.next() < 0.4 ? someTokens(random, vocabSize) : undefined;
      const model = new ScriptedModel({
        agrees,
        spread: 1 + 6 * random.next(),
        vocabSize,
        hasDraft,
        ...(draftVocabulary && { draftVocabulary }),
      });
      const engine = scriptedEngine(model);
      const request = randomRequest(random, model.vocabSize, 1 + random.nextInt(40));
      const plain = await collect(engine, withoutSpeculation(request));
      for (const draftLength of [undefined, 0, 1, 2, 3, 4, 5, 6, 7, 8]) {
        const speculative = await collect(engine, withDraftLength(request, draftLength));
        expect(speculative.ids).toEqual(plain.ids);
        expect(speculative.done.finishReason).toBe(plain.done.finishReason);
        for (const origin of speculative.origins) seen[origin]++;
      }
      expect(model.openSequences).toBe(0);
    }
    expect(Math.min(seen.draft, seen.lookup, seen.target)).toBeGreaterThan(1000);
  });

  test('gives the same text alone and beside others', async () => {
    const random = new RandomStream(7);
    const model = new ScriptedModel({ agrees: (position) => position % 3 > 0 });
    const engine = scriptedEngine(model);
    const requests = Array.from({ length: 12 }, () => randomRequest(random, model.vocabSize, 30));
    const together = await Promise.all(requests.map((request) => collect(engine, request)));
    for (const [i, request] of requests.entries()) {
      expect(together[i]!.ids).toEqual((await collect(engine, request)).ids);
    }
  });

  test('another seed gives another text', async () => {
    const engine = scriptedEngine(new ScriptedModel());
    const textOf = async (seed: number) =>
      (await collect(engine, requestOf({ sampling: { temperature: 1, seed } }))).ids;
    expect(await textOf(1)).toEqual(await textOf(1));
    expect(await textOf(1)).not.toEqual(await textOf(2));
  });
});

describe('rejection verification', () => {
  test('at temperature 0 gives the greedy text with any draft length and vocabulary', async () => {
    for (const draftVocabulary of [undefined, [7], Array.from({ length: 16 }, (_, i) => 2 * i)]) {
      const model = new ScriptedModel({
        agrees: (position) => position % 3 !== 0,
        ...(draftVocabulary && { draftVocabulary }),
      });
      for (const draftLength of [0, 1, 3, 8]) {
        const request = requestOf({ speculation: { draftLength, verification: 'rejection' } });
        expect((await collect(scriptedEngine(model), request)).ids).toEqual(model.greedy([1, 2, 3], 16));
      }
    }
  });

  test('at temperature 0 gives the greedy text with prompt lookup alone and beside a draft', async () => {
    for (const hasDraft of [false, true]) {
      const model = new ScriptedModel({ vocabSize: 4, hasDraft, agrees: (position) => position % 3 !== 0 });
      const request = requestOf({ maxTokens: 200, speculation: { verification: 'rejection' } });
      const run = await collect(scriptedEngine(model), request);
      expect(run.ids).toEqual(model.greedy([1, 2, 3], 200));
      expect(run.origins).toContain('lookup');
    }
  });
});

/** Occurrences of each pair of first tokens over `seeds` generations, and what the model's own probabilities expect. */
describe("the distribution of the text is the model's own", () => {
  const [vocabSize, seeds] = [6, 12_000];
  const settings = [
    { temperature: 1 },
    { temperature: 1.4, topP: 0.9, repetitionPenalty: 1.5 },
    { temperature: 0.8, topK: 4, minP: 0.05, presencePenalty: 0.7, logitBias: new Map([[2, 1]]) },
  ];
  /** Every token of it occurs, so prompt lookup always has a guess. */
  const repeating = [3, 0, 1, 2, 4, 5, 3];
  const drafters = [
    { drafter: 'no drafter', promptIds: [3], hasDraft: true, draftLength: 0, fewestAccepted: 0 },
    { drafter: 'the model draft', promptIds: [3], hasDraft: true, draftLength: 2, fewestAccepted: 1000 },
    {
      drafter: 'the model draft with a reduced vocabulary',
      promptIds: [3],
      hasDraft: true,
      draftVocabulary: [0, 2, 3, 5],
      draftLength: 2,
      fewestAccepted: 1000,
    },
    { drafter: 'prompt lookup', promptIds: repeating, hasDraft: false, draftLength: 2, fewestAccepted: 1000 },
    {
      drafter: 'both',
      promptIds: repeating,
      hasDraft: true,
      draftLength: undefined,
      fewestAccepted: 10,
    },
  ];
  for (const verification of ['coupled', 'rejection'] as const) {
    for (const { drafter, promptIds, hasDraft, draftVocabulary, draftLength, fewestAccepted } of drafters) {
      for (const [i, sampling] of settings.entries()) {
        test(`${verification}, ${drafter}, setting ${i}`, async () => {
          const agrees = (position: number) => position === promptIds.length + 1;
          // Where the engine chooses, it must have a reason to draft.
          const onStep = draftLength === undefined ? slowTarget : undefined;
          const model = new ScriptedModel({
            vocabSize,
            agrees,
            spread: 1.5,
            hasDraft,
            ...(draftVocabulary && { draftVocabulary }),
            ...(onStep && { onStep }),
          });
          const engine = scriptedEngine(model);
          const request = (seed: number) =>
            requestOf({
              promptIds,
              maxTokens: 3,
              sampling: { ...sampling, seed },
              speculation: { draftLength, verification },
            });
          const counts = new Array<number>(vocabSize ** 3).fill(0);
          const accepted = { draft: 0, lookup: 0, target: 0 };
          for (let seed = 0; seed < seeds; seed++) {
            const { ids, origins } = await collect(engine, request((seed * 2654435761) % 2 ** 32));
            const [a, b, c] = ids;
            counts[(a! * vocabSize + b!) * vocabSize + c!]!++;
            for (const origin of origins) accepted[origin]++;
          }
          expect(chiSquareZ(counts, expectedCounts(model, request(0), seeds))).toBeLessThan(4.5);
          // Which of both goes first depends on what steps take here; each alone is used throughout.
          const numAccepted = accepted.draft + accepted.lookup;
          expect(numAccepted >= fewestAccepted).toBe(true);
          if (fewestAccepted > 100) expect(accepted[hasDraft ? 'draft' : 'lookup']).toBe(numAccepted);
        });
      }
    }
  }
});

/** One token or more, ids ascending. */
function someTokens(random: RandomStream, vocabSize: number): number[] {
  const always = random.nextInt(vocabSize);
  const share = random.next();
  return Array.from({ length: vocabSize }, (_, id) => id).filter(
    (id) => id === always || random.next() < share,
  );
}

/** Makes a target step take longer than a draft step of a scripted model, a few microseconds. */
function slowTarget(mode: StepMode): void {
  const until = performance.now() + 0.03;
  while (mode === 'target' && performance.now() < until);
}

function expectedCounts(
  model: ScriptedModel,
  request: ReturnType<typeof requestOf>,
  seeds: number,
): number[] {
  const counts: number[] = [];
  for (let a = 0; a < model.vocabSize; a++) {
    const first = nextProbs(model, request, []);
    const second = nextProbs(model, request, [a]);
    for (let b = 0; b < model.vocabSize; b++) {
      const third = nextProbs(model, request, [a, b]);
      for (let c = 0; c < model.vocabSize; c++) counts.push(seeds * first[a]! * second[b]! * third[c]!);
    }
  }
  return counts;
}

/** The request's distribution after `generated`, in plain arithmetic of its own. */
function nextProbs(
  model: ScriptedModel,
  request: ReturnType<typeof requestOf>,
  generated: number[],
): number[] {
  const { sampling, promptIds } = request;
  let logits = [...model.logitsAfter([...promptIds, ...generated], 'target')];
  logits = logits.map((logit, id) => {
    let value = logit + (sampling.logitBias.get(id) ?? 0);
    if ([...promptIds, ...generated].includes(id)) {
      value = value > 0 ? value / sampling.repetitionPenalty : value * sampling.repetitionPenalty;
    }
    return value - (generated.includes(id) ? sampling.presencePenalty : 0);
  });
  const ranked = logits
    .map((logit, id) => ({ id, weight: Math.exp(logit / sampling.temperature) }))
    .sort((x, y) => y.weight - x.weight)
    .slice(0, sampling.topK || undefined);
  const total = ranked.reduce((sum, entry) => sum + entry.weight, 0);
  let mass = 0;
  const nucleus = ranked.filter((entry) => {
    const isKept = mass < sampling.topP * total;
    mass += entry.weight;
    return isKept && entry.weight >= sampling.minP * ranked[0]!.weight;
  });
  const keptTotal = nucleus.reduce((sum, entry) => sum + entry.weight, 0);
  const probs = new Array<number>(model.vocabSize).fill(0);
  for (const { id, weight } of nucleus) probs[id] = weight / keptTotal;
  return probs;
}
