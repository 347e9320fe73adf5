import { describe, expect, test } from 'bun:test';
import { SpeculationKnowledge } from '../../src/engine/experience.ts';
import { RoundPolicy } from '../../src/engine/round-policy.ts';
import { StepMeter } from '../../src/engine/step-meter.ts';
import type { SpeculationParams } from '../../src/engine/types.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { draftingMs, expectedSpeedup, type StepCosts } from '../../src/lib/speedup.ts';
import { requestOf } from './helpers.ts';

function costsOf(draftMs: number, perToken = 0.05, draftStartMs = 0): StepCosts {
  return { draftMs, draftStartMs, targetMs: Array.from({ length: 17 }, (_, i) => 1 + perToken * i) };
}

function policyOf(
  costs: StepCosts,
  speculation: Partial<SpeculationParams> = {},
  { hasDraft = true, prior = 0.6 } = {},
): RoundPolicy {
  const knowledge = new SpeculationKnowledge(new StepMeter(costs, 5), hasDraft, prior);
  return new RoundPolicy(requestOf({ speculation }), knowledge);
}

interface World {
  /** The model draft's tokens: how likely each is accepted, drawn anew for each token; its lead tells. */
  readonly draft: (random: RandomStream, round: number) => number;
  /** A guess of prompt lookup after so many tokens: the length of its match, and how likely each of its tokens is right. */
  readonly lookup?: (tokens: number) => { matchLength: number; acceptance: number };
  readonly hasDraft?: boolean;
  readonly prior?: number;
}

/** Rounds in a world without a model: every token is accepted by chance, each step costs what it costs. */
function simulate(world: World, costs: StepCosts, rounds: number) {
  const random = new RandomStream(1);
  const meter = new StepMeter(costs, 5);
  const knowledge = new SpeculationKnowledge(meter, world.hasDraft ?? true, world.prior ?? 0.6);
  const policy = new RoundPolicy(requestOf(), knowledge);
  const plans: string[] = [];
  const lengths: number[] = [];
  let [tokens, ms] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const guess = world.lookup?.(tokens) ?? { matchLength: 0, acceptance: 0 };
    const { drafter, draftLength } = policy.plan(99, guess.matchLength);
    const [chances, leads]: [number[], number[]] = [[], []];
    let reach = 1;
    while (drafter === 'draft' && leads.length < draftLength) {
      chances.push(world.draft(random, round));
      leads.push(5 * chances.at(-1)!);
      reach *= policy.acceptanceAt(leads.at(-1)!);
      if (!policy.isNextWorth(reach, leads.length)) break;
    }
    const drafted = drafter === 'draft' ? leads.length : draftLength;
    const chance = (i: number) => (drafter === 'draft' ? chances[i]! : guess.acceptance);
    let accepted = 0;
    while (accepted < drafted && random.next() < chance(accepted)) accepted++;
    const emitted = drafter === 'lookup' ? accepted + 1 : 1;
    for (let i = 0; i < emitted && guess.matchLength > 0; i++) {
      const isRight = drafter === 'lookup' ? i < accepted : random.next() < guess.acceptance;
      policy.recordGuess(guess.matchLength + i, isRight);
    }
    policy.record({ origin: drafter === 'lookup' ? 'lookup' : 'draft', drafted, accepted, leads });
    meter.recordTarget(drafted + 1, costs.targetMs[drafted]!);
    plans.push(drafter);
    lengths.push(drafted);
    tokens += accepted + 1;
    ms += (drafter === 'draft' ? draftingMs(costs, drafted) : 0) + costs.targetMs[drafted]!;
  }
  return { plans, lengths, speedup: tokens / ms };
}

describe('RoundPolicy with a model draft', () => {
  for (const prior of [0.2, 0.6, 0.95]) {
    test(`comes near the best fixed length, whatever the prior (${prior})`, () => {
      for (const acceptance of [0.3, 0.6, 0.8, 0.95]) {
        for (const costs of [costsOf(0.15), costsOf(0.4), costsOf(0.25, 0.01), costsOf(0.2, 0.03, 0.5)]) {
          const best = Math.max(
            ...Array.from({ length: 13 }, (_, g) => expectedSpeedup(acceptance, g, costs)),
          );
          const { speedup } = simulate({ draft: () => acceptance, prior }, costs, 4000);
          expect(speedup).toBeGreaterThan(0.93 * best);
        }
      }
    });
  }

  test('is faster than any fixed length where the draft knows what it does not know', () => {
    const draft = (random: RandomStream) => (random.next() < 0.7 ? 0.98 : 0.15);
    const mean = 0.7 * 0.98 + 0.3 * 0.15;
    for (const costs of [costsOf(0.2), costsOf(0.35)]) {
      const best = Math.max(...Array.from({ length: 9 }, (_, g) => expectedSpeedup(mean, g, costs)));
      expect(simulate({ draft }, costs, 4000).speedup).toBeGreaterThan(1.05 * best);
    }
  });

  test('where no draft pays, costs less than 2 percent after the first tokens', () => {
    for (const acceptance of [0, 0.1, 0.3]) {
      for (const costs of [costsOf(0.5), costsOf(0.9, 0.3)]) {
        expect(simulate({ draft: () => acceptance }, costs, 2000).speedup).toBeGreaterThan(0.98);
      }
    }
  });

  test('a draft that cannot propose a token is given up as soon as one whose token is always rejected', () => {
    const none = { origin: 'draft', drafted: 0, accepted: 0, leads: [] } as const;
    const countDrafts = (record: (policy: RoundPolicy) => void): number => {
      const policy = policyOf(costsOf(0.4), {}, { prior: 0.9 });
      let drafts = 0;
      for (let round = 0; round < 1000; round++) {
        if (policy.plan(99, 0).drafter === 'draft') {
          drafts++;
          record(policy);
        } else policy.record(none);
      }
      return drafts;
    };
    const rejected = countDrafts((policy) => policy.record({ ...none, drafted: 1 }));
    const fruitless = countDrafts((policy) => {
      policy.recordFruitless();
      policy.record(none);
      expect(policy.isDecodingPlainly).toBe(false);
    });
    expect(rejected).toBeLessThan(150);
    expect(Math.abs(fruitless - rejected)).toBeLessThan(5);
  });

  test('rounds whose draft cannot propose a token are no plain ones, which are timed as often as ever', () => {
    const countPlain = (isFruitless: (round: number) => boolean): number => {
      const costs = costsOf(0.2);
      const meter = new StepMeter(costs, 5);
      const policy = new RoundPolicy(requestOf(), new SpeculationKnowledge(meter, true, 0.9));
      let plain = 0;
      for (let round = 0; round < 4000; round++) {
        const { drafter } = policy.plan(99, 0);
        const drafted = drafter === 'draft' && !isFruitless(round) ? 5 : 0;
        if (drafter === 'none') plain++;
        else if (drafted === 0) policy.recordFruitless();
        if (policy.isDecodingPlainly) meter.recordTarget(1, costs.targetMs[0]!);
        policy.record({ origin: 'draft', drafted, accepted: drafted, leads: [] });
      }
      return plain;
    };
    const always = countPlain(() => false);
    expect(always).toBeGreaterThan(10);
    expect(countPlain((round) => round % 10 === 9)).toBeGreaterThan(always / 2);
  });

  test('probes rarely while nothing pays, and switches back on when the text becomes easy', () => {
    const draft = (_: RandomStream, round: number) => (round < 1500 ? 0 : 0.99);
    const { plans } = simulate({ draft, prior: 0.05 }, costsOf(0.3), 9000);
    const early = plans.slice(0, 1000).filter((drafter) => drafter === 'draft').length;
    expect(early).toBeGreaterThan(3);
    expect(early).toBeLessThan(40);
    expect(plans.slice(-100).filter((drafter) => drafter === 'draft').length).toBeGreaterThan(95);
  });

  test('times plain decoding now and then, in pairs of rounds: the second is what a plain step costs', () => {
    const { plans } = simulate({ draft: () => 0.9 }, costsOf(0.2), 2000);
    const plain = plans.flatMap((drafter, round) => (drafter === 'none' ? [round] : [])).slice(0, -1);
    expect(plain.length).toBeGreaterThan(3);
    const isAlone = (round: number) => plans[round - 1] !== 'none' && plans[round + 1] !== 'none';
    expect(plain.filter(isAlone)).toEqual([]);
  });

  test("obeys the caller, within what is left, and 'enabled: false'", () => {
    const fixed = policyOf(costsOf(5), { draftLength: 7 }, { prior: 0.01 });
    expect([20, 3, 0].map((longest) => fixed.plan(longest, 9).draftLength)).toEqual([7, 3, 0]);
    expect(fixed.plan(20, 9)).toEqual({ drafter: 'draft', draftLength: 7, mayStop: false });
    expect(policyOf(costsOf(5), { draftLength: 0 }).plan(20, 9).drafter).toBe('none');
    const off = policyOf(costsOf(0.01), { draftLength: 7, enabled: false });
    expect(off.plan(20, 9).draftLength).toBe(0);
  });
});

describe('RoundPolicy with prompt lookup', () => {
  const noDraft = { draft: () => 0, hasDraft: false };

  test('takes long guesses where they are right, without a model draft too', () => {
    const lookup = () => ({ matchLength: 20, acceptance: 0.98 });
    const { plans, lengths, speedup } = simulate({ ...noDraft, lookup }, costsOf(9), 500);
    expect(plans.filter((drafter) => drafter === 'lookup').length).toBeGreaterThan(450);
    expect(Math.max(...lengths)).toBe(16);
    expect(speedup).toBeGreaterThan(5);
  });

  test('guesses that are wrong cost less than 2 percent, however good their matches look', () => {
    for (const matchLength of [1, 3, 10, 30]) {
      for (const acceptance of [0, 0.05, 0.15]) {
        const lookup = () => ({ matchLength, acceptance });
        const { speedup } = simulate({ ...noDraft, lookup }, costsOf(9, 0.15), 1000);
        expect(speedup).toBeGreaterThan(0.98);
      }
    }
  });

  test('with both, uses lookup where it is right and the model draft elsewhere', () => {
    const lookup = (tokens: number) =>
      tokens % 80 < 40 ? { matchLength: 12, acceptance: 0.95 } : { matchLength: 1, acceptance: 0.05 };
    const costs = costsOf(0.2);
    const both = simulate({ draft: () => 0.8, lookup }, costs, 2000);
    expect(both.plans.filter((drafter) => drafter === 'lookup').length).toBeGreaterThan(300);
    expect(both.plans.filter((drafter) => drafter === 'draft').length).toBeGreaterThan(800);
    expect(both.speedup).toBeGreaterThan(simulate({ draft: () => 0.8 }, costs, 2000).speedup);
    expect(both.speedup).toBeGreaterThan(simulate({ ...noDraft, lookup }, costs, 2000).speedup);
  });

  test('a fixed length without a model draft is a guess of that length, or none', () => {
    const fixed = policyOf(costsOf(5), { draftLength: 5 }, { hasDraft: false });
    expect(fixed.plan(20, 1)).toEqual({ drafter: 'lookup', draftLength: 5, mayStop: false });
    expect(fixed.plan(20, 0).drafter).toBe('none');
  });

  test('what one request learns helps the next at the same temperature', () => {
    const knowledge = new SpeculationKnowledge(new StepMeter(costsOf(9), 5), false, 0.6);
    const policyAt = (temperature: number) =>
      new RoundPolicy(requestOf({ sampling: { temperature } }), knowledge);
    const first = policyAt(0);
    const before = policyAt(0).plan(20, 12).draftLength;
    for (let i = 0; i < 200; i++) first.recordGuess(12, true);
    expect(policyAt(0).plan(20, 12).draftLength).toBeGreaterThan(before);
    expect(policyAt(1).plan(20, 12).draftLength).toBe(before);
  });
});
