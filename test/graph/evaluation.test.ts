import { describe, expect, test } from 'bun:test';
import { GOLDEN_MODELS } from '../golden/models.ts';
import { openGolden, prunedCases } from './golden.ts';
import { argmax, evalLogits, openEval, relativeError } from './run-graph.ts';

describe.each([...GOLDEN_MODELS])('buildEvaluationGraph() of %s', (name) => {
  test('gives the golden logits of the last three positions', async () => {
    const { folder, golden } = await openGolden(name);
    const session = await openEval(folder);
    const n = golden.prompt_ids.length;
    const logits = evalLogits(session, golden.prompt_ids, [n - 3, n - 2, n - 1]);
    for (const [i, row] of logits.entries()) expect(relativeError(row, golden.logits[i]!)).toBeLessThan(1e-4);
    session.dispose();
  });

  test('without the dropped units gives the pruned logits and arg maxes', async () => {
    const { folder, golden } = await openGolden(name);
    for (const { dropped, golden: pruned } of prunedCases(golden)) {
      const session = await openEval(folder, dropped);
      const ids = [...golden.prompt_ids, ...golden.greedy.slice(0, -1)];
      const rows = pruned.draft_argmax.map((_, k) => golden.prompt_ids.length - 1 + k);
      const logits = evalLogits(session, ids, rows);
      expect(relativeError(logits[0]!, pruned.logits)).toBeLessThan(1e-4);
      expect(logits.map(argmax)).toEqual([...pruned.draft_argmax]);
      session.dispose();
    }
  });
});
