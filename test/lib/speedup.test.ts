import { describe, expect, test } from 'bun:test';
import { bestDraftLength, expectedSpeedup, expectedTokensPerRound } from '../../src/lib/speedup.ts';

/** Costs relative to a one-token target step: draft `c`, every verification `v`. */
const costs = (c: number, v: number) => ({
  draftMs: c,
  draftStartMs: 0,
  targetMs: [1, v, v, v, v, v, v, v, v],
});

describe('expectedSpeedup()', () => {
  // Worked examples of the formula (1 - a^(g+1)) / ((1 - a)(c g + v)).
  test.each([
    [0.6, 0.9, 4, 1, 1.2],
    [0.5, 0.95, 4, 1, 1.51],
    [0.2, 0.8, 4, 1.05, 1.82],
    [0.15, 0.85, 5, 1.1, 2.24],
  ])('c=%p a=%p g=%p v=%p gives %p', (c, a, g, v, speedup) => {
    expect(expectedSpeedup(a, g, costs(c, v))).toBeCloseTo(speedup, 2);
  });

  test('extends the measured widths linearly', () => {
    const measured = { draftMs: 0, draftStartMs: 0, targetMs: [1, 1.5, 2] };
    expect(expectedSpeedup(1, 4, measured)).toBeCloseTo(5 / 3, 9);
  });

  test('counts the start of a draft once, and not where nothing is drafted', () => {
    const started = { ...costs(0.2, 1), draftStartMs: 0.5 };
    expect(expectedSpeedup(1, 4, started)).toBeCloseTo(5 / (0.5 + 0.8 + 1), 9);
    expect(expectedSpeedup(1, 0, started)).toBe(1);
  });
});

test('expectedTokensPerRound() goes from 1 to draftLength + 1', () => {
  expect(expectedTokensPerRound(0, 5)).toBe(1);
  expect(expectedTokensPerRound(1, 5)).toBe(6);
  expect(expectedTokensPerRound(0.5, 2)).toBe(1.75);
});

describe('bestDraftLength()', () => {
  test('is 0 where no length pays', () => {
    expect(bestDraftLength(0.5, costs(0.9, 1.1), 8)).toEqual({ draftLength: 0, speedup: 1 });
  });
  test('is the longest allowed where every draft token is free and right', () => {
    expect(bestDraftLength(1, costs(0, 1), 8)).toEqual({ draftLength: 8, speedup: 9 });
  });
});
