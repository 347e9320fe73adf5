import { describe, expect, test } from 'bun:test';
import {
  bitsToUniform,
  GUMBEL_CEILING,
  gumbel,
  gumbelBound,
  noiseBits,
  noiseKey,
  RandomStream,
} from '../../src/lib/random.ts';
import { chiSquareZ } from '../engine/statistics.ts';

const SAMPLES = 200_000;

function histogram(samples: number, bins: number, binOf: (sample: number) => number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < samples; i++) counts[binOf(i)]!++;
  return counts;
}

function expectUniform(counts: readonly number[]): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  expect(
    Math.abs(
      chiSquareZ(
        counts,
        counts.map(() => total / counts.length),
      ),
    ),
  ).toBeLessThan(4.5);
}

describe('noiseBits', () => {
  // Each way of walking through the keys that the engine takes must look random by itself.
  const walks: [string, (i: number) => number][] = [
    ['tokens of a position', (i) => noiseBits(noiseKey(1, 5), i)],
    ['one token over positions', (i) => noiseBits(noiseKey(1, i), 17)],
    ['one token over seeds', (i) => noiseBits(noiseKey(i, 3), 17)],
    ['token 0 over seeds, position 0', (i) => noiseBits(noiseKey(i, 0), 0)],
    ['acceptance noise', (i) => noiseBits(noiseKey(9, i, 'acceptance'), 0)],
  ];
  for (const [name, bitsOf] of walks) {
    test(`is uniform in its high and low bits: ${name}`, () => {
      expectUniform(histogram(SAMPLES, 256, (i) => bitsOf(i) >>> 24));
      expectUniform(histogram(SAMPLES, 256, (i) => bitsOf(i) & 255));
    });

    test(`neighbours are independent: ${name}`, () => {
      expectUniform(histogram(SAMPLES, 256, (i) => ((bitsOf(i) >>> 28) << 4) | (bitsOf(i + 1) >>> 28)));
    });
  }

  test('neighbouring seeds, positions and uses are independent', () => {
    const pairs: ((i: number) => [number, number])[] = [
      (i) => [noiseBits(noiseKey(1, 5), i), noiseBits(noiseKey(2, 5), i)],
      (i) => [noiseBits(noiseKey(1, 5), i), noiseBits(noiseKey(1, 6), i)],
      (i) => [noiseBits(noiseKey(1, 5), i), noiseBits(noiseKey(1, 6), i - 1)],
      (i) => [noiseBits(noiseKey(1, i), 0), noiseBits(noiseKey(1, i, 'acceptance'), 0)],
      (i) => [noiseBits(noiseKey(1, i, 'recovery'), 0), noiseBits(noiseKey(1, i, 'acceptance'), 0)],
    ];
    for (const pair of pairs) {
      expectUniform(
        histogram(SAMPLES, 256, (i) => {
          const [a, b] = pair(i);
          return ((a >>> 28) << 4) | (b >>> 28);
        }),
      );
    }
  });

  test('flipping any bit of seed, position or token flips each output bit half of the time', () => {
    for (let bit = 0; bit < 32; bit++) {
      let flips = 0;
      for (let i = 0; i < 2000; i++) {
        const [seed, position, token] = [i * 7919, i % 311, i % 997];
        const bits = noiseBits(noiseKey(seed, position), token);
        flips += popCount(bits ^ noiseBits(noiseKey((seed ^ (1 << bit)) >>> 0, position), token));
        flips += popCount(bits ^ noiseBits(noiseKey(seed, position ^ (1 << (bit % 20))), token));
        flips += popCount(bits ^ noiseBits(noiseKey(seed, position), token ^ (1 << (bit % 20))));
      }
      expect(Math.abs(flips / (2000 * 3 * 32) - 0.5)).toBeLessThan(0.01);
    }
  });

  test('depends on the key alone', () => {
    expect(noiseBits(noiseKey(123, 45), 6)).toBe(noiseBits(noiseKey(123, 45), 6));
    expect(noiseBits(noiseKey(123, 45), 6)).not.toBe(noiseBits(noiseKey(124, 45), 6));
  });
});

describe('gumbel', () => {
  test('has mean 0.5772 and variance pi^2 / 6', () => {
    const key = noiseKey(4, 2);
    const values = Array.from({ length: SAMPLES }, (_, i) => gumbel(noiseBits(key, i)));
    const mean = values.reduce((sum, value) => sum + value, 0) / SAMPLES;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / SAMPLES;
    expect(mean).toBeCloseTo(0.57722, 1.5);
    expect(variance).toBeCloseTo(Math.PI ** 2 / 6, 1);
  });

  test('never exceeds its bound, which never exceeds the ceiling', () => {
    const key = noiseKey(8, 1);
    const edges = [
      0,
      1,
      2,
      3,
      0x7fffffff,
      -1,
      -2,
      -0x80000000,
      ...Array.from({ length: 32 }, (_, i) => 1 << i),
    ];
    const random = Array.from({ length: SAMPLES }, (_, i) => noiseBits(key, i) >>> (i % 32));
    for (const bits of [...edges, ...random]) {
      expect(gumbel(bits) <= gumbelBound(bits) && gumbelBound(bits) <= GUMBEL_CEILING).toBe(true);
      expect(Number.isFinite(gumbel(bits))).toBe(true);
    }
  });

  test('bitsToUniform is strictly between 0 and 1', () => {
    expect(bitsToUniform(0)).toBeGreaterThan(0);
    expect(bitsToUniform(-1)).toBeLessThan(1);
  });
});

describe('RandomStream', () => {
  test('repeats with its seed and differs without', () => {
    const draw = (seed: number) => {
      const stream = new RandomStream(seed);
      return Array.from({ length: 5 }, () => stream.next());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test('is uniform', () => {
    const stream = new RandomStream(3);
    expectUniform(histogram(SAMPLES, 100, () => stream.nextInt(100)));
    expectUniform(histogram(SAMPLES, 64, () => Math.floor(stream.next() * 64)));
    expectUniform(histogram(SAMPLES, 256, () => (stream.nextInt(16) << 4) | stream.nextInt(16)));
  });
});

function popCount(bits: number): number {
  let count = 0;
  for (let rest = bits >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
