import { describe, expect, test } from 'bun:test';
import { StepMeter } from '../../src/engine/step-meter.ts';
import type { StepCosts } from '../../src/lib/speedup.ts';

function costsOf(draftMs: number, draftStartMs = 0): StepCosts {
  return { draftMs, draftStartMs, targetMs: Array.from({ length: 9 }, (_, i) => 1 + 0.05 * i) };
}

describe('StepMeter', () => {
  test('a slower machine slows every width, measured or not', () => {
    const meter = new StepMeter(costsOf(0.2), 5);
    for (let i = 0; i < 200; i++) {
      meter.recordDraft(0.6, { steps: 3, ms: 0.6 });
      meter.recordTarget(3, 3 * 1.1);
    }
    const { draftMs, targetMs } = meter.costs;
    expect(draftMs / targetMs[2]!).toBeCloseTo(0.2 / 1.1, 2);
    expect(targetMs[0]!).toBeGreaterThan(2);
    expect(Math.abs(targetMs[2]! / 3.3 - 1)).toBeLessThan(0.05);
  });

  test('learns that a width costs more than was measured', () => {
    const meter = new StepMeter(costsOf(0.2), 5);
    for (let i = 0; i < 400; i++) {
      meter.recordTarget(1, 1);
      meter.recordDraft(0.2, { steps: 2, ms: 0.2 });
      meter.recordTarget(4, 2);
    }
    const { draftMs, targetMs } = meter.costs;
    expect(targetMs[3]! / targetMs[0]!).toBeCloseTo(2, 0);
    expect(draftMs / targetMs[0]!).toBeCloseTo(0.2, 1);
  });

  test('a draft that stays in the caches is not slowed with the target, nor when it is not in use for a while', () => {
    const meter = new StepMeter(costsOf(0.2, 0.3), 5);
    for (let i = 0; i < 100; i++) {
      meter.recordDraft(0.5, { steps: 3, ms: 0.2 });
      meter.recordTarget(4, 2 * 1.15);
    }
    const { draftMs, draftStartMs, targetMs } = meter.costs;
    expect(targetMs[0]!).toBeGreaterThan(1.7);
    expect(draftMs).toBeCloseTo(0.2, 2);
    expect(draftStartMs).toBeCloseTo(0.3, 2);
    for (let i = 0; i < 100; i++) meter.recordTarget(1, 4);
    expect(meter.costs.draftMs / meter.costs.targetMs[0]!).toBeCloseTo(0.1, 1);
  });

  test("tells a round's first draft step from the next ones, and never calls a later one dearer", () => {
    const meter = new StepMeter(costsOf(0.2), 5);
    for (let i = 0; i < 200; i++) meter.recordDraft(0.7, { steps: 0, ms: Number.NaN });
    expect(meter.costs.draftMs).toBeCloseTo(0.2, 6);
    expect(meter.costs.draftStartMs).toBeCloseTo(0.5, 1);
    for (let i = 0; i < 200; i++) meter.recordDraft(0.2, { steps: 5, ms: 0.4 });
    expect(meter.costs.draftStartMs).toBe(0);
  });

  test('a step never seems dearer than a wider one: the better known of both counts', () => {
    const meter = new StepMeter({ draftMs: 0.2, draftStartMs: 0, targetMs: [3, 1.1, 1.2, 1.3] }, 5);
    const [plain, wider] = meter.costs.targetMs;
    expect(plain!).toBe(wider!);
    for (let i = 0; i < 100; i++) meter.recordTarget(2, 1.1);
    expect(meter.costs.targetMs[0]! / meter.costs.targetMs[1]!).toBeCloseTo(1, 6);
    expect(meter.costs.targetMs[0]!).toBeLessThan(1.3);
    for (let i = 0; i < 100; i++) meter.recordTarget(2, 1.6);
    expect(meter.costs.targetMs.every((ms, i, all) => i === 0 || ms >= all[i - 1]!)).toBe(true);
    expect(meter.costs.targetMs[3]!).toBeGreaterThan(1.4);
  });

  test('one pause of the machine does not change the picture', () => {
    const meter = new StepMeter(costsOf(0.2), 5);
    for (let i = 0; i < 50; i++) meter.recordTarget(1, 1);
    meter.recordTarget(1, 500);
    expect(meter.costs.targetMs[0]!).toBeLessThan(1.5);
  });
});
