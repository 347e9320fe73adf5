import { describe, expect, test } from 'bun:test';
import { AcceptanceEstimate } from '../../src/engine/acceptance.ts';
import { AcceptanceByClass } from '../../src/engine/acceptance-by-class.ts';
import { RandomStream } from '../../src/lib/random.ts';

describe('AcceptanceEstimate', () => {
  test('starts at the prior and approaches the true rate', () => {
    const estimate = new AcceptanceEstimate(0.6, 16, 512);
    expect(estimate.rate).toBeCloseTo(0.6, 12);
    const random = new RandomStream(4);
    for (let round = 0; round < 1000; round++) {
      let accepted = 0;
      while (accepted < 4 && random.next() < 0.85) accepted++;
      estimate.record(4, accepted);
    }
    expect(Math.abs(estimate.rate - 0.85)).toBeLessThan(0.05);
  });

  test('forgets', () => {
    const estimate = new AcceptanceEstimate(0.5, 8, 64);
    for (let round = 0; round < 200; round++) estimate.record(1, 1);
    for (let round = 0; round < 200; round++) estimate.record(1, 0);
    expect(estimate.rate).toBeLessThan(0.05);
  });
});

describe('AcceptanceByClass', () => {
  const starts = [1, 2, 4];

  test('learns each class by itself; a value under the first start is of the first class', () => {
    const rates = new AcceptanceByClass(starts, [0.1, 0.5, 0.9], 8, 64);
    expect([0, 1, 1.9, 2, 3, 4, 99].map((value) => rates.rate(value))).toEqual([
      0.1, 0.1, 0.1, 0.5, 0.5, 0.9, 0.9,
    ]);
    for (let i = 0; i < 50; i++) rates.record(3, false);
    expect(rates.rate(2)).toBeLessThan(0.1);
    expect([rates.rate(1), rates.rate(4)]).toEqual([0.1, 0.9]);
  });

  test('fork() starts from what is known and learns apart', () => {
    const shared = new AcceptanceByClass(starts, [0.1, 0.5, 0.9], 8, 512);
    for (let i = 0; i < 50; i++) shared.record(1, true);
    const own = shared.fork(8, 64);
    expect(own.rate(1)).toBeCloseTo(shared.rate(1), 12);
    own.record(1, false);
    expect(own.rate(1)).toBeLessThan(shared.rate(1));
  });
});
