import { describe, expect, test } from 'bun:test';
import { findMethod, methodNames } from '../../src/fit/methods/index.ts';
import type { Measurement, ScoringFacts } from '../../src/fit/types.ts';

const oneLayer: ScoringFacts = { numLayers: 1, tensors: [], seed: 1, roundings: [] };

/** Two positions; rows: 0.attn, 0.mlp, layer 0. */
const gates: Measurement = { nll: 1, length: 2, values: Float32Array.of(1, 2, 3, -1, 5, 0) };

describe('findMethod()', () => {
  test('knows every name it lists, the default first', () => {
    expect(methodNames[0]).toBe('fit');
    for (const name of methodNames) expect(findMethod(name).name as string).toBe(name);
  });

  test('refuses an unknown name with the list of those that exist', () => {
    expect(() => findMethod('magic')).toThrow(
      /found "magic", needs one of fit, fit-gate, fit-trace, fit-diag, cosine, last, random/,
    );
    expect(() => findMethod('toString')).toThrow(/needs one of/);
  });
});

describe('fit', () => {
  test('sums products over positions, squares before any mean', () => {
    const method = findMethod('fit');
    const scores = method.scores(method.summarize(gates, oneLayer), oneLayer);
    expect(scores.matrix).toEqual([
      [5, 1],
      [1, 10],
    ]);
    expect(scores.units).toEqual([
      { name: '0.attn', score: 5 },
      { name: '0.mlp', score: 10 },
    ]);
    expect(scores.layers).toEqual([25]);
  });

  test('fit-gate is its diagonal', () => {
    const method = findMethod('fit-gate');
    const scores = method.scores(method.summarize(gates, oneLayer), oneLayer);
    expect(scores.matrix).toBeUndefined();
    expect(scores.units.map(({ score }) => score)).toEqual([5, 10]);
  });
});

describe('weight methods', () => {
  const facts: ScoringFacts = {
    numLayers: 1,
    seed: 1,
    roundings: [],
    tensors: [
      { name: 'q', unit: 0, size: 4, thetaSq: 8 },
      { name: 'up', unit: 1, size: 2, thetaSq: 4 },
    ],
  };
  const measured: Measurement = { nll: 1, length: 9, values: Float32Array.of(3, 5, 0.5, 0.25) };

  test('fit-trace: trace times second moment, of the layer as a whole and of each unit', () => {
    const method = findMethod('fit-trace');
    const { units, layers } = method.scores(method.summarize(measured, facts), facts);
    expect(layers).toEqual([(8 * 12) / 6]);
    expect(units.map(({ score }) => score)).toEqual([6, 10]);
  });

  test('fit-diag: sum of (g theta)^2', () => {
    const method = findMethod('fit-diag');
    const { units, layers } = method.scores(method.summarize(measured, facts), facts);
    expect(layers).toEqual([0.75]);
    expect(units.map(({ score }) => score)).toEqual([0.5, 0.25]);
  });
});

describe('methods without measurements', () => {
  const facts: ScoringFacts = { numLayers: 3, tensors: [], seed: 7, roundings: [] };
  const scoresOf = (name: string, seed = 7) =>
    findMethod(name).scores(new Float64Array(0), { ...facts, seed });

  test('last: the last layer has the lowest score', () => {
    expect(scoresOf('last').layers).toEqual([3, 2, 1]);
    expect(scoresOf('last').units.at(-1)).toEqual({ name: '2.mlp', score: 1 });
  });

  test('random: the same seed gives the same scores, another seed others', () => {
    expect(scoresOf('random')).toEqual(scoresOf('random'));
    expect(scoresOf('random').layers).not.toEqual(scoresOf('random', 8).layers);
    for (const score of scoresOf('random').layers) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThan(1);
    }
  });
});
