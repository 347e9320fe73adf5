import { describe, expect, test } from 'bun:test';
import { compareThreads, type MeasureCount } from '../../src/build/measure-threads.ts';
import type { StepCosts } from '../../src/lib/speedup.ts';

/** Steps of one token take `plainMs`, wider ones a tenth more each, draft steps `draftMs`. */
function costsOf(plainMs: number, draftMs = plainMs): StepCosts {
  const targetMs = Array.from({ length: 13 }, (_, i) => plainMs * (1 + i / 10));
  return { draftMs, draftStartMs: 0, targetMs };
}

/** Sessions whose n-th measurement with a count has its n-th plain step, or its last. */
function sessions(plainMs: Readonly<Record<string, number[]>>, loadMs = 100) {
  const order: (number | null)[] = [];
  const measure: MeasureCount = async (threads) => {
    const all = plainMs[`${threads}`]!;
    const costs = costsOf(all[Math.min(order.filter((one) => one === threads).length, all.length - 1)]!);
    order.push(threads);
    return { loadMs, costs };
  };
  return { measure, order };
}

const PLAIN = { acceptance: 0, hasDraft: false };

describe('compareThreads()', () => {
  test('tries the powers of two and all cores, then those near the best once more in reversed order', async () => {
    const { measure, order } = sessions({ null: [3], 1: [2], 2: [1], 4: [1.1], 6: [2] });
    const { chosen, skipped, counts } = await compareThreads(measure, { ...PLAIN, cores: 6 });
    expect(order).toEqual([null, 1, 2, 4, 6, 4, 2, null]);
    expect([chosen, skipped]).toEqual([2, null]);
    expect(counts.map(({ threads }) => threads)).toEqual([null, 1, 2, 4, 6]);
  });

  test('tries no more threads once two counts in a row were far slower', async () => {
    const { measure, order } = sessions({ null: [5], 1: [1], 2: [2], 4: [3] });
    expect((await compareThreads(measure, { ...PLAIN, cores: 64 })).chosen).toBe(1);
    expect(order).toEqual([null, 1, 2, 4, 1, null]);
  });

  test.each([
    ['a gain within the noise', { null: [1], 1: [0.98], 2: [2] }],
    ['a gain in one pass alone', { null: [2, 1], 1: [0.99, 1], 2: [9] }],
    ['its own choice being the fastest', { null: [1], 1: [2], 2: [1.1] }],
  ])('leaves the choice to the runtime after %s', async (_, plainMs) => {
    const { measure } = sessions(plainMs);
    expect((await compareThreads(measure, { ...PLAIN, cores: 2 })).chosen).toBeNull();
  });

  test('judges by the speed with the draft, at its best length, and says what it rests on', async () => {
    // With one thread plain steps are slower and draft steps so much faster that speculation wins.
    const measure: MeasureCount = async (threads) => ({
      loadMs: 1,
      costs: threads === 1 ? costsOf(1.2, 0.1) : costsOf(1, 0.8),
    });
    const cores = 2;
    const { chosen, counts } = await compareThreads(measure, { acceptance: 0.9, hasDraft: true, cores });
    expect(chosen).toBe(1);
    const one = counts.find(({ threads }) => threads === 1)!;
    expect(one).toMatchObject({
      draftMs: 0.1,
      targetMs: 1.2,
      verificationMs: 1.2 * (1 + one.draftLength / 10),
    });
    const tokens = (1 - 0.9 ** (one.draftLength + 1)) / 0.1;
    const roundMs = one.draftLength * 0.1 + one.verificationMs;
    expect(one.predictedTokensPerSecond).toBeCloseTo((1000 * tokens) / roundMs, 6);
    const plain = await compareThreads(measure, { ...PLAIN, cores });
    expect(plain.chosen).toBeNull();
    expect(plain.counts[1]).toMatchObject({ draftMs: null, draftLength: 0, verificationMs: 1.2 });
  });

  test('is skipped, with the reason, where loading takes long or there is one core', async () => {
    const slow = sessions({ null: [1] }, 3210);
    const skipped = 'loading takes 3.2 s, and each count needs it twice';
    expect(await compareThreads(slow.measure, { ...PLAIN, cores: 8 })).toEqual({
      chosen: null,
      skipped,
      counts: [],
    });
    expect(slow.order).toEqual([null]);
    const one = sessions({});
    const { skipped: why } = await compareThreads(one.measure, { ...PLAIN, cores: 1 });
    expect([why, one.order]).toEqual(['the process has one core', []]);
  });
});
