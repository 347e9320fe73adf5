import { describe, expect, test } from 'bun:test';
import { candidateForms, countForKeep, formsWithCount } from '../../src/plan/candidates.ts';
import { selectByInteractions, selectByScore, selectLayers } from '../../src/plan/select.ts';
import type { Rounding } from '../../src/quant/types.ts';

describe('selectByInteractions()', () => {
  test('sees that a removal compensates another, which sorting cannot', () => {
    const form = [
      [3, 0, 0],
      [0, 2, -1.5],
      [0, -1.5, 4],
    ];
    expect(selectByScore([3, 2, 4], 2)).toEqual([0, 1]);
    expect(selectByInteractions(form, 2)).toEqual([1, 2]);
  });

  test('adds greedily: the next unit is the cheapest beside those chosen', () => {
    // Alone the cheapest are 2 and 1; beside 2, unit 0 costs 1.5 - 1 = 0.5 and unit 1 costs 1 + 0.2.
    const form = [
      [3, 0, -1],
      [0, 2, 0.2],
      [-1, 0.2, 1],
    ];
    expect(selectByInteractions(form, 1)).toEqual([2]);
    expect(selectByInteractions(form, 2)).toEqual([0, 2]);
  });

  test('does not believe that a large removal is free because of another', () => {
    // Beside unit 0, unit 1 costs 100 - 110 < 0 by the form; the small unit is the safer one.
    const form = [
      [1, -110, 0],
      [-110, 200, 0],
      [0, 0, 4],
    ];
    expect(selectByInteractions(form, 2)).toEqual([0, 2]);
  });

  test('chooses nothing and everything, and refuses a count outside', () => {
    const form = [3, 1, 4, 1, 5].map((own, u) => [0, 0, 0, 0, 0].map((_, v) => (u === v ? own : 0.1)));
    expect(selectByInteractions(form, 0)).toEqual([]);
    expect(selectByInteractions(form, 5)).toEqual([0, 1, 2, 3, 4]);
    expect(() => selectByInteractions(form, 6)).toThrow('cannot choose 6 of 5');
    expect(() => selectByInteractions(form, 1.5)).toThrow(RangeError);
  });

  test('an all-zero form ends', () => {
    expect(
      selectByInteractions(
        [
          [0, 0],
          [0, 0],
        ],
        1,
      ),
    ).toEqual([0]);
  });
});

test('selectLayers() takes both units of the lowest layers; ties go to the earlier one', () => {
  expect(selectLayers([3, 1, 2, 1], 2)).toEqual([2, 3, 6, 7]);
  expect(selectLayers([1, 1, 1], 1)).toEqual([0, 1]);
});

test('candidateForms() are eighths, without repeated ones or ones that drop nothing and round nothing', () => {
  const countsOf = (numUnits: number, rounding: Rounding | undefined) =>
    candidateForms(numUnits, 2)
      .filter((form) => form.rounding === rounding)
      .map(({ count }) => count);
  expect(countsOf(32, undefined)).toEqual([4, 8, 12, 16, 20, 24, 28]);
  expect(countsOf(4, undefined)).toEqual([1, 2, 3]);
  for (const rounding of ['int4', 'int8'] as const) {
    expect(countsOf(32, rounding)).toEqual([0, 4, 8]);
    expect(countsOf(4, rounding)).toEqual([0, 1]);
  }
});

test('formsWithCount() keeps the count, with shared and with rounded weights', () => {
  expect(formsWithCount(3).map(({ count }) => count)).toEqual([3, 3, 3]);
  expect(formsWithCount(0).map(({ rounding }) => rounding)).toEqual(['int8', 'int4']);
});

test('countForKeep() counts the dropped units of a kept share', () => {
  expect(countForKeep(0.75, 32)).toBe(8);
  expect(countForKeep(1, 32)).toBe(0);
  expect(countForKeep(0, 32)).toBe(31);
  expect(() => countForKeep(1.2, 32)).toThrow('needs a share from 0 to 1');
});
