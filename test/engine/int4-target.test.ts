import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { RandomStream } from '../../src/lib/random.ts';
import { listUnits } from '../../src/lib/units.ts';
import { readGolden } from '../golden/models.ts';
import { openInt4Engine } from './golden-engine.ts';
import { collect, requestOf } from './helpers.ts';
import { randomRequest, withDraftLength, withoutSpeculation } from './random-request.ts';

setDefaultTimeout(60_000); // a machine of two busy cores

const units = listUnits(4);
/** Half of the 384 tokens of the golden models. */
const HALF = Array.from({ length: 192 }, (_, i) => 2 * i);

/** The last column: the least share of draft tokens that are right; by chance it would be one in 384. */
describe.each([
  ['smollm2-tied', 'skips nothing', [], undefined, 0.8],
  ['smollm2-tied', 'skips three blocks', [units[1]!, units[4]!, units[7]!], undefined, 0.1],
  ['mistral-f16', 'skips a block', [units[2]!], undefined, 0.1],
  ['smollm2-tied', 'proposes every second token', [], HALF, 0.1],
  ['smollm2-tied', 'skips a block and proposes every second token', [units[1]!], HALF, 0.05],
] as const)('a target of int4 of %s with a draft that %s', (model, _, dropped, vocabulary, fewest) => {
  test('random requests give the same text with speculation on, off and any draft length', async () => {
    const engine = await openInt4Engine(model, dropped, { vocabulary });
    const golden = readGolden(model);
    const greedy = requestOf({ promptIds: golden.prompt_ids, maxTokens: golden.greedy.length });
    const random = new RandomStream(23);
    const requests = Array.from({ length: 20 }, () => randomRequest(random, engine.info.vocabSize, 24));
    let [drafted, accepted] = [0, 0];
    for (const request of [greedy, ...requests]) {
      const plain = await collect(engine, withoutSpeculation(request));
      for (const draftLength of [undefined, 1, 3, 8]) {
        const run = await collect(engine, withDraftLength(request, draftLength));
        expect(run.ids).toEqual(plain.ids);
        drafted += run.done.stats.numDraftTokens;
        accepted += run.done.stats.numAcceptedTokens;
      }
    }
    // A draft of the same weights is right nearly always, and errs where activations of 8 bits are not enough.
    expect(accepted).toBeGreaterThan(drafted * fewest);
    expect(accepted).toBeLessThan(drafted);
    await engine.dispose();
  });
});
