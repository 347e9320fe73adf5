import { describe, expect, test } from 'bun:test';
import { chooseServed, runFinals } from '../../src/build/finals.ts';
import type { Comparison } from '../../src/measure/speed.ts';

function comparison(ratios: number[], plainTokensPerSecond = 100): Comparison {
  return {
    ratios,
    ratio: Number.NaN,
    plainTokensPerSecond,
    tokensPerSecond: 0,
    acceptanceLength: 1,
    acceptanceRate: 0,
    textsEqual: true,
  };
}

/** A run whose n-th measurement of an entry gives its n-th rounds. */
function scripted(rounds: Readonly<Record<string, number[][]>>, order: string[] = []) {
  return async (entry: string) => {
    order.push(entry);
    const pass = order.filter((name) => name === entry).length - 1;
    return comparison(rounds[entry]![pass]!, 100 + 10 * pass);
  };
}

describe('runFinals()', () => {
  test('runs two passes, the second in reversed order, and keeps every ratio', async () => {
    const order: string[] = [];
    const rounds = {
      a: [
        [1, 1.1, 1.2],
        [1.3, 1.4, 1.9],
      ],
      b: [[1], [1]],
      c: [[1], [1]],
    };
    const results = await runFinals(['a', 'b', 'c'], scripted(rounds, order));
    expect(order).toEqual(['a', 'b', 'c', 'c', 'b', 'a']);
    const { ratios, ratio, plainTokensPerSecond } = results.get('a')!;
    expect(ratios).toEqual([1, 1.1, 1.2, 1.3, 1.4, 1.9]);
    expect(ratio).toBeCloseTo(1.25, 9);
    expect(plainTokensPerSecond).toBe(105);
  });

  test('a single lucky round does not win', async () => {
    const rounds = {
      steady: [
        [1.3, 1.3, 1.3],
        [1.3, 1.3, 1.3],
      ],
      lucky: [
        [1.2, 9, 1.2],
        [1.2, 1.2, 1.2],
      ],
    };
    expect(chooseServed(await runFinals(['lucky', 'steady'], scripted(rounds)), false)).toBe('steady');
  });

  test('the better median wins, however near', async () => {
    const rounds = { a: [[1.3], [1.3]], b: [[1.301], [1.301]] };
    expect(chooseServed(await runFinals(['a', 'b'], scripted(rounds)), false)).toBe('b');
  });

  test('without entries nobody wins, and a failed run ends it', async () => {
    expect(chooseServed(await runFinals([], scripted({})), true)).toBeUndefined();
    const failing = runFinals(['a'], () => Promise.reject(new Error('enough')));
    await expect(failing).rejects.toThrow('enough');
  });
});

describe('chooseServed()', () => {
  const finals = (without: number, withDraft: number) =>
    new Map<string | null, { ratio: number }>([
      [null, { ratio: without }],
      ['draft', { ratio: withDraft }],
    ]);

  test('a draft has to beat prompt lookup alone, not only plain decoding', () => {
    expect(chooseServed(finals(1.1, 1.3), false)).toBe('draft');
    expect(chooseServed(finals(1.14, 1.14), false)).toBeUndefined();
    expect(chooseServed(finals(1.14, 1.145), false)).toBeUndefined();
    expect(chooseServed(finals(0.9, 1.005), false)).toBeUndefined();
    expect(chooseServed(finals(0.9, 1.02), false)).toBe('draft');
  });

  test('unless somebody asked for it', () => {
    expect(chooseServed(finals(1.14, 0.9), true)).toBe('draft');
    expect(
      chooseServed(new Map<string | null, { ratio: number }>([[null, { ratio: 1 }]]), true),
    ).toBeUndefined();
  });
});
