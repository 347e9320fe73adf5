import type { StepCosts } from '../lib/speedup.ts';

/** The least of every figure of several measurements of equal widths: contention only ever adds. */
export function leastCosts(measured: readonly StepCosts[]): StepCosts {
  const draftMs = Math.min(...measured.map((costs) => costs.draftMs));
  const firstMs = Math.min(...measured.map((costs) => costs.draftStartMs + costs.draftMs));
  const targetMs = overWidths(measured, (values) => Math.min(...values));
  return { draftMs, draftStartMs: firstMs - draftMs, targetMs };
}

/** One figure per width of the target steps, of those of several measurements. */
export function overWidths(
  measured: readonly StepCosts[],
  reduce: (values: readonly number[]) => number,
): readonly number[] {
  const widest = measured[0]?.targetMs.length ?? 0;
  return Array.from({ length: widest }, (_, i) => reduce(measured.map(({ targetMs }) => targetMs[i]!)));
}
