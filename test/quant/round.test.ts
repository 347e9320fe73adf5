import { describe, expect, test } from 'bun:test';
import { RandomStream } from '../../src/lib/random.ts';
import { BLOCK_COLUMNS, roundMatrix } from '../../src/quant/round.ts';
import { dequantize } from './dequantize.ts';

function randomMatrix(rows: number, columns: number, seed: number): Float32Array {
  const random = new RandomStream(seed);
  // Sums of uniforms have tails like weights do.
  return Float32Array.from({ length: rows * columns }, () => random.next() + random.next() - 1);
}

/** Root of the mean squared error over the root of the mean square. */
function relativeError(found: Float32Array, expected: Float32Array): number {
  const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(found.map((value, i) => value - expected[i]!)) / squares(expected));
}

describe('roundMatrix()', () => {
  test.each([
    ['int4', 0.075],
    ['int8', 0.006],
  ] as const)('%s keeps a matrix within a relative error of %d', (rounding, limit) => {
    const values = randomMatrix(7, 160, 1);
    const restored = dequantize(roundMatrix(values, 160, rounding), 7, 160, rounding);
    expect(relativeError(restored, values)).toBeLessThan(limit);
    expect(relativeError(restored, values)).toBeGreaterThan(limit / 4);
  });

  test('4 bits: no scale of the plain absmax rule is nearer', () => {
    const values = randomMatrix(40, 32, 2);
    const restored = dequantize(roundMatrix(values, 32, 'int4'), 40, 32, 'int4');
    const absmax = values.map((value, i) => {
      const row = values.subarray(32 * Math.floor(i / 32), 32 * (Math.floor(i / 32) + 1));
      const scale = Math.max(...row.map(Math.abs)) / 7;
      return Math.round(value / scale) * scale;
    });
    expect(relativeError(restored, values)).toBeLessThan(0.92 * relativeError(absmax, values));
  });

  test.each(['int4', 'int8'] as const)('%s restores levels of a scale exactly', (rounding) => {
    const top = rounding === 'int4' ? 8 : 128;
    const columns = BLOCK_COLUMNS[rounding];
    // From -top up: every level that a code can stand for, as far as a block has room.
    const values = Float32Array.from({ length: columns }, (_, i) => ((i % (2 * top)) - top) / 64);
    expect(dequantize(roundMatrix(values, columns, rounding), 1, columns, rounding)).toEqual(values);
  });

  test('a row of zeros stays one, and a last block that is not full does not touch the next row', () => {
    const values = randomMatrix(3, 48, 3);
    values.fill(0, 48, 96);
    const rounded = roundMatrix(values, 48, 'int4');
    const restored = dequantize(rounded, 3, 48, 'int4');
    expect([...restored.subarray(48, 96)]).toEqual(new Array(48).fill(0));
    expect(rounded.scales.length).toBe(6);
    expect(relativeError(restored, values)).toBeLessThan(0.08);
    expect(roundMatrix(values.subarray(96), 48, 'int4').packed).toEqual(rounded.packed.subarray(64));
  });

  test('the same values give the same bytes', () => {
    const values = randomMatrix(5, 96, 4);
    expect(roundMatrix(values, 96, 'int4')).toEqual(roundMatrix(values.slice(), 96, 'int4'));
  });
});
