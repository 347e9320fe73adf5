import { describe, expect, test } from 'bun:test';
import { type CalibrationProgress, scoreUntilStable } from '../../src/fit/calibration.ts';
import { findMethod } from '../../src/fit/methods/index.ts';
import type { Scorer } from '../../src/fit/scorer.ts';

/** Two units whose g is sqrt(1 + noise) at one position, so that scores are 1 + noise. */
function fakeScorer(noise: (sequence: number) => number, methodName = 'fit-gate'): Scorer {
  let sequence = 0;
  return {
    method: findMethod(methodName),
    facts: { numLayers: 1, tensors: [], seed: 3, roundings: [] },
    measure: () => {
      const g = Math.sqrt(1 + noise(sequence++));
      return { nll: 1, length: 1, values: Float32Array.of(g, g, g) };
    },
    dispose: () => {},
  };
}

const alternating = (size: number) => (sequence: number) => (sequence % 2 === 0 ? size : -size);

function* endless(): Generator<readonly number[]> {
  for (;;) yield [1, 2, 3];
}

describe('scoreUntilStable()', () => {
  test('stops at the first sequence whose relative standard error is within tolerance', async () => {
    const { result, facts } = await scoreUntilStable(fakeScorer(alternating(0.5)), endless(), {
      seed: 3,
      tolerance: 0.1,
    });
    // 13 scores of 1.5 and 12 of 0.5: mean 1.02, sum of squared distances 6.24, sqrt(6.24 / 24 / 25) / 1.02 = 0.09998
    expect(facts.stoppedBy).toBe('stable');
    expect(facts.sequences).toBe(25);
    expect(facts.relativeStandardError).toBeLessThanOrEqual(0.1);
    expect(facts.seed).toBe(3);
    expect(facts.peakRssBytes).toBeGreaterThan(10e6);
    expect(result.layers[0]).toBeCloseTo(1.02, 5);
  });

  test('stops at the cap and says so', async () => {
    const { facts } = await scoreUntilStable(fakeScorer(alternating(0.9)), endless(), {
      seed: 3,
      tolerance: 1e-6,
      maxSequences: 12,
    });
    expect(facts).toMatchObject({ stoppedBy: 'cap', sequences: 12, tokens: 12 });
  });

  test('says when the given text ended first', async () => {
    const { facts } = await scoreUntilStable(
      fakeScorer(alternating(0.9)),
      [
        [1, 2],
        [3, 4],
      ],
      { seed: 3 },
    );
    expect(facts).toMatchObject({ stoppedBy: 'exhausted', sequences: 2 });
  });

  test('measures nothing for methods that need no text', async () => {
    const { result, facts } = await scoreUntilStable(fakeScorer(alternating(0.9), 'last'), endless(), {
      seed: 3,
    });
    expect(facts).toMatchObject({ stoppedBy: 'unmeasured', sequences: 0 });
    expect(facts.relativeStandardError).toBe(Number.POSITIVE_INFINITY);
    expect(result.units).toHaveLength(2);
  });

  test('estimates the time left, never beyond the cap', async () => {
    const seen: CalibrationProgress[] = [];
    await scoreUntilStable(fakeScorer(alternating(0.5)), endless(), {
      seed: 3,
      tolerance: 0.1,
      maxSequences: 20,
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.map(({ sequences }) => sequences)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(seen[0]!.remainingMs).toBeGreaterThan(0);
    expect(seen.at(-1)!.remainingMs).toBe(0);
  });

  test('an aborted signal ends it between runs with the reason', async () => {
    const controller = new AbortController();
    const run = scoreUntilStable(fakeScorer(alternating(0.5)), endless(), {
      seed: 3,
      signal: controller.signal,
      onProgress: ({ sequences }) => {
        if (sequences === 3) controller.abort(new Error('stopped by the user'));
      },
    });
    await expect(run).rejects.toThrow('stopped by the user');
  });

  test('needs text for methods that measure', async () => {
    await expect(scoreUntilStable(fakeScorer(alternating(0.5)), [], { seed: 3 })).rejects.toThrow(
      /no sequence/,
    );
  });
});
