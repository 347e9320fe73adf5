import { describe, expect, test } from 'bun:test';
import { StepMeter } from '../../src/engine/step-meter.ts';
import type { StepCosts } from '../../src/lib/speedup.ts';

function costsOf(draftMs: number, perToken = 0.05): StepCosts {
  return { draftMs, targetMs: Array.from({ length: 9 }, (_, i) => 1 + perToken * i) };
}

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

  test('a step never seems dearer than a wider one: the better known of both counts', () => {
    const meter = new StepMeter({ draftMs: 0.2, targetMs: [3, 1.1, 1.2, 1.3] }, 5);
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
