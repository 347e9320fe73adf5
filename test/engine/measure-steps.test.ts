import { expect, test } from 'bun:test';
import { measureSteps, type TimedModel } from '../../src/engine/measure-steps.ts';

/** Steps of a millisecond and more. */
class SlowModel implements TimedModel {
  readonly hasDraft = true;

  openSequence(): ReturnType<TimedModel['openSequence']> {
    let length = 0;
    return {
      get length() {
        return length;
      },
      forward(ids, outputRows) {
        const until = performance.now() + 1 + ids.length / 10;
        while (performance.now() < until);
        length += ids.length;
        return new Float32Array(outputRows);
      },
      trim: (toLength) => {
        length = toLength;
      },
      dispose: () => {},
    };
  }
}

test('measureSteps() has a figure for every kind of step, however small the budget', () => {
  const options = { pastTokens: 64, widest: 9, widths: [1, 2, 5, 9], runs: 5, budgetMs: 1 };
  const { draftMs, draftStartMs, targetMs } = measureSteps(new SlowModel(), options);
  expect(draftMs).toBeGreaterThanOrEqual(1);
  expect(draftStartMs).toBeGreaterThanOrEqual(0);
  expect(targetMs).toHaveLength(9);
  for (const [i, ms] of targetMs.entries()) expect(ms).toBeGreaterThanOrEqual(1 + (i + 1) / 10 - 1e-9);
});
