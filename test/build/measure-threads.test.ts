import { describe, expect, test } from 'bun:test';
import { compareThreads, type MeasureCount } from '../../src/build/measure-threads.ts';
import type { StepCosts } from '../../src/lib/speedup.ts';

/** Steps of one token take `plainMs`, wider ones a tenth more each, draft steps `draftMs`. */
function costsOf(plainMs: number, draftMs = plainMs): StepCosts {
  const targetMs = Array.from({ length: 13 }, (_, i) => plainMs * (1 + i / 10));
  return { draftMs, draftStartMs: 0, targetMs };
}

/** Sessions whose n-th measurement with a count has its n-th plain step, or its last, and takes `loadMs` of the clock `now`. */
function sessions(plainMs: Readonly<Record<string, number[]>>, loadMs = 100) {
  const order: (number | null)[] = [];
  const now = (): number => order.length * loadMs;
  const measure: MeasureCount = async (threads) => {
    const all = plainMs[`${threads}`]!;
    const costs = costsOf(all[Math.min(order.filter((one) => one === threads).length, all.length - 1)]!);
    order.push(threads);
    return { loadMs, costs };
  };
  return { measure, order, now };
}

const PLAIN = { acceptance: 0, hasDraft: false, defaultThreads: undefined };

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

  test('does not measure the default number of threads twice over', async () => {
    const { measure, order } = sessions({ null: [3], 1: [3], 2: [3], 4: [1] });
    await compareThreads(measure, { ...PLAIN, cores: 4, defaultThreads: 4 });
    expect(order).toEqual([null, 1, 2, 2, 1, null]);
  });

  test.each([
    ['leaves counts out of the first pass', 1300, [null, 1, 1, null], 1],
    ['leaves counts out of the second', 700, [null, 1, 2, 4, 8, 16, 2, null], 2],
  ])('where measuring takes long, %s', async (_, loadMs, wanted, chosen) => {
    const { measure, order, now } = sessions(
      { null: [5], 1: [2.2], 2: [2], 4: [2.1], 8: [2.3], 16: [3] },
      loadMs,
    );
    const options = { ...PLAIN, cores: 16, now };
    expect(await compareThreads(measure, options)).toMatchObject({ chosen, skipped: null });
    expect(order).toEqual(wanted);
  });

  test.each([
    [
      'the first measurement',
      [1450, 1450],
      'measuring a count takes 1.6 s, and each needs it twice within 6 s',
      [null],
    ],
    [
      'a later one',
      [1000, 3500],
      'measuring a count takes 3.5 s, and each needs it twice within 6 s',
      [null, 1],
    ],
  ])(
    'chooses nothing after one pass: %s leaves no time for the second',
    async (_, [own, other], skipped, order) => {
      const fake = sessions({ null: [5], 1: [1] });
      let clockMs = 0;
      const measure: MeasureCount = async (threads) => {
        clockMs += threads === null ? own! * 1.1 : other!;
        return { ...(await fake.measure(threads)), loadMs: own! };
      };
      const options = { ...PLAIN, cores: 16, now: () => clockMs };
      expect(await compareThreads(measure, options)).toEqual({ chosen: null, skipped, counts: [] });
      expect(fake.order).toEqual(order);
    },
  );

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
    const { chosen, counts } = await compareThreads(measure, {
      ...PLAIN,
      acceptance: 0.9,
      hasDraft: true,
      cores,
    });
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
