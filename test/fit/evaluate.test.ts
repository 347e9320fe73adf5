import { describe, expect, test } from 'bun:test';
import { evaluateSequences } from '../../src/fit/index.ts';
import { GOLDEN_MODELS } from '../golden/models.ts';
import { openGolden, prunedCases } from '../graph/golden.ts';

const limit = 1e-4;

/** Largest absolute difference over the largest absolute golden value. */
function errorOf(found: ArrayLike<number>, wanted: readonly number[]): number {
  expect(found.length).toBe(wanted.length);
  const differences = wanted.map((value, i) => Math.abs(found[i]! - value));
  return Math.max(...differences) / Math.max(...wanted.map(Math.abs));
}

describe.each([...GOLDEN_MODELS])('evaluateSequences() of %s', (name) => {
  test('golden nll, and agreement 1 with itself', async () => {
    const { folder, golden } = await openGolden(name);
    const sequences = golden.fisher.sequences.map(({ ids }) => ids);
    const evaluation = await evaluateSequences(folder, sequences);
    const wanted = golden.nll.reduce((sum, nll) => sum + nll, 0);
    expect(Math.abs(evaluation.nllSum - wanted) / wanted).toBeLessThan(limit);
    expect(evaluation.tokens).toBe(sequences.reduce((sum, ids) => sum + ids.length - 1, 0));
    expect(evaluation.agreement).toBe(1);
  });

  test('golden logits of the whole and of every pruned model', async () => {
    const { folder, golden } = await openGolden(name);
    const whole = await evaluateSequences(folder, [golden.prompt_ids]);
    expect(errorOf(whole.lastLogits[0]!, golden.logits[2]!)).toBeLessThan(limit);
    for (const { dropped, golden: pruned } of prunedCases(golden)) {
      const names = dropped.map(({ layer, block }) => `${layer}.${block}`);
      const { lastLogits } = await evaluateSequences(folder, [golden.prompt_ids], { dropped: names });
      expect(errorOf(lastLogits[0]!, pruned.logits)).toBeLessThan(limit);
    }
  });

  test('agreement counts the positions where both argmaxes are equal', async () => {
    const { folder, golden } = await openGolden(name);
    const [{ dropped, golden: pruned }] = prunedCases(golden) as [ReturnType<typeof prunedCases>[number]];
    const names = dropped.map(({ layer, block }) => `${layer}.${block}`);
    const equalIn = async (ids: readonly number[]) => {
      const { agreement } = await evaluateSequences(folder, [ids], { dropped: names });
      return Math.round(agreement * ids.length);
    };
    // Positions from the prompt's last on: the target predicts `greedy`, the pruned model `draft_argmax`.
    const long = await equalIn([...golden.prompt_ids, ...golden.greedy.slice(0, -1)]);
    const short = await equalIn(golden.prompt_ids.slice(0, -1));
    expect(long - short).toBe(pruned.draft_argmax.filter((id, k) => id === golden.greedy[k]).length);
  });
});

test('an aborted signal ends it between runs', async () => {
  const { folder, golden } = await openGolden('mistral-f16');
  const controller = new AbortController();
  const run = evaluateSequences(folder, [golden.prompt_ids, golden.prompt_ids], {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('stopped by the user')),
  });
  await expect(run).rejects.toThrow('stopped by the user');
});
