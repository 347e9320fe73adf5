import { describe, expect, test } from 'bun:test';
import { AcceptanceEstimate } from '../../src/engine/acceptance.ts';
import { DEFAULT_SPECULATION } from '../../src/engine/defaults.ts';
import { DraftLengthPolicy, SpeculationKnowledge } from '../../src/engine/draft-length.ts';
import { StepMeter } from '../../src/engine/step-meter.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { expectedSpeedup, type StepCosts } from '../../src/lib/speedup.ts';

function costsOf(draftMs: number, perToken = 0.05): StepCosts {
  return { draftMs, targetMs: Array.from({ length: 9 }, (_, i) => 1 + perToken * i) };
}

/** Simulated rounds: each draft token is accepted with the true probability, each step costs what it costs. */
function simulate(acceptance: number, costs: StepCosts, prior: number, rounds: number, enabled = true) {
  const random = new RandomStream(1);
  const knowledge = new SpeculationKnowledge(new StepMeter(costs, 5), prior);
  const policy = new DraftLengthPolicy({ ...DEFAULT_SPECULATION, enabled }, knowledge);
  const lengths: number[] = [];
  let [tokens, ms] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const length = policy.choose(99);
    let accepted = 0;
    while (accepted < length && random.next() < acceptance) accepted++;
    policy.record(length, accepted);
    lengths.push(length);
    tokens += accepted + 1;
    ms += length * costs.draftMs + costs.targetMs[length]!;
  }
  return { lengths, speedup: tokens / ms, policy };
}

describe('DraftLengthPolicy', () => {
  for (const prior of [0.2, 0.6, 0.95]) {
    test(`comes near the best fixed length, whatever the prior (${prior})`, () => {
      for (const acceptance of [0.3, 0.6, 0.8, 0.95]) {
        for (const costs of [costsOf(0.15), costsOf(0.4), costsOf(0.25, 0.01)]) {
          const best = Math.max(
            ...Array.from({ length: 9 }, (_, g) => expectedSpeedup(acceptance, g, costs)),
          );
          expect(simulate(acceptance, costs, prior, 4000).speedup).toBeGreaterThan(0.94 * best);
        }
      }
    });
  }

  test('where no draft pays, costs less than 2 percent after the first tokens', () => {
    for (const acceptance of [0, 0.1, 0.3]) {
      for (const costs of [costsOf(0.5), costsOf(0.9, 0.3)]) {
        expect(simulate(acceptance, costs, 0.6, 2000).speedup).toBeGreaterThan(0.98);
      }
    }
  });

  test('probes rarely while nothing pays, and switches back on when the text becomes easy', () => {
    const costs = costsOf(0.3);
    const knowledge = new SpeculationKnowledge(new StepMeter(costs, 5), 0.05);
    const policy = new DraftLengthPolicy(DEFAULT_SPECULATION, knowledge);
    const rounds = (count: number, isAccepted: boolean) =>
      Array.from({ length: count }, () => {
        const length = policy.choose(99);
        policy.record(length, isAccepted ? length : 0);
        return length;
      });
    const drafted = rounds(1000, false).filter((length) => length > 0);
    expect(drafted.length).toBeGreaterThan(3);
    expect(drafted.length).toBeLessThan(35);
    expect(
      rounds(5000, true)
        .slice(-100)
        .every((length) => length > 2),
    ).toBe(true);
  });

  test("obeys the caller, within what is left, and 'enabled: false'", () => {
    const knowledge = new SpeculationKnowledge(new StepMeter(costsOf(5), 5), 0.01);
    const fixed = new DraftLengthPolicy({ ...DEFAULT_SPECULATION, draftLength: 7 }, knowledge);
    expect([fixed.choose(20), fixed.choose(3), fixed.choose(0)]).toEqual([7, 3, 0]);
    const off = new DraftLengthPolicy({ ...DEFAULT_SPECULATION, draftLength: 7, enabled: false }, knowledge);
    expect(off.choose(20)).toBe(0);
    const noDraft = new SpeculationKnowledge(null, 0.9);
    expect(new DraftLengthPolicy({ ...DEFAULT_SPECULATION, draftLength: 7 }, noDraft).choose(20)).toBe(0);
  });
});

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

describe('StepMeter', () => {
  test('a slower machine slows every width, measured or not', () => {
    const meter = new StepMeter(costsOf(0.2), 5);
    for (let i = 0; i < 200; i++) {
      meter.recordDraft(0.6);
      meter.recordTarget(3, 3 * 1.1);
    }
    const { draftMs, targetMs } = meter.costs;
    expect(draftMs / targetMs[2]!).toBeCloseTo(0.2 / 1.1, 2);
    expect(targetMs[0]!).toBeGreaterThan(2);
    expect(targetMs[2]!).toBeCloseTo(3.3, 1);
  });

  test('learns that a width costs more than was measured', () => {
    const meter = new StepMeter(costsOf(0.2), 5);
    for (let i = 0; i < 400; i++) {
      meter.recordTarget(1, 1);
      meter.recordDraft(0.2);
      meter.recordTarget(4, 2);
    }
    const { draftMs, targetMs } = meter.costs;
    expect(targetMs[3]! / targetMs[0]!).toBeCloseTo(2, 0);
    expect(draftMs / targetMs[0]!).toBeCloseTo(0.2, 1);
  });

  test('one pause of the machine does not change the picture', () => {
    const meter = new StepMeter(costsOf(0.2), 5);
    for (let i = 0; i < 50; i++) meter.recordTarget(1, 1);
    meter.recordTarget(1, 500);
    expect(meter.costs.targetMs[0]!).toBeLessThan(1.5);
  });
});
