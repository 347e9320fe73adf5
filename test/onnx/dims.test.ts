import { describe, expect, test } from 'bun:test';
import {
  addDims,
  canonicalDim,
  divideDim,
  equalDims,
  equalShapes,
  formatShape,
  multiplyDims,
} from '../../src/onnx/dims.ts';

describe('dims', () => {
  test.each([
    [addDims('P', 'S'), 'P+S'],
    [addDims('S', 'S', 2, 3), '2*S+5'],
    [addDims(2, 3), 5],
    [multiplyDims('S', 'B', 2), '2*B*S'],
    [multiplyDims('P+S', 3), '3*P+3*S'],
    [multiplyDims('S', 0), 0],
    [multiplyDims(), 1],
    [canonicalDim('S*2*B+1+1'), '2*B*S+2'],
  ])('%p is spelt %p', (dim, spelling) => {
    expect(dim).toBe(spelling);
  });

  test('equal dims may be spelt differently', () => {
    expect(equalDims('S+P', 'P+S')).toBe(true);
    expect(equalDims('2*S', 'S+S')).toBe(true);
    expect(equalDims('S', 'P')).toBe(false);
    expect(equalDims('S', 1)).toBe(false);
    expect(equalShapes(['B', '2*S'], ['B', 'S*2'])).toBe(true);
    expect(equalShapes(['B'], ['B', 1])).toBe(false);
  });

  test.each([
    ['2*B*S', 'S', '2*B'],
    ['3*P+3*S', 3, 'P+S'],
    ['P+S', 'P+S', 1],
    [12, 4, 3],
    [12, 5, undefined],
    ['P+S', 'P', undefined],
    ['B*P+B*S', 'B', 'P+S'],
  ] as const)('divideDim(%p, %p) is %p', (total, divisor, quotient) => {
    expect(divideDim(total, divisor)).toBe(quotient);
  });

  test('formatShape() writes brackets', () => {
    expect(formatShape(['B', 'P+S', 64])).toBe('[B, P+S, 64]');
  });
});
