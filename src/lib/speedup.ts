/** Arithmetic of speculative decoding (Leviathan et al. 2023, section 3; design: tokens per target-step time). */

/** Expected tokens of a round that drafts `draftLength` tokens, each accepted with probability `acceptance`. In 1..draftLength+1. */
export function expectedTokensPerRound(acceptance: number, draftLength: number): number {
  if (acceptance >= 1) return draftLength + 1;
  return (1 - acceptance ** (draftLength + 1)) / (1 - acceptance);
}

/** Measured costs of one step, in milliseconds. */
export interface StepCosts {
  /** One draft step (one token) after another. */
  readonly draftMs: number;
  /** What the first draft step of a round takes on top: the target step before it pushed the draft's weights out of the caches. */
  readonly draftStartMs: number;
  /** Target steps by number of new tokens: entry i is the cost of i + 1 tokens. */
  readonly targetMs: readonly number[];
}

/** Speed of rounds with `draftLength` drafted tokens over plain decoding: above 1, speculation pays. */
export function expectedSpeedup(acceptance: number, draftLength: number, costs: StepCosts): number {
  const plainMs = costs.targetMs[0] ?? Number.NaN;
  const verificationMs = targetStepMs(costs, draftLength + 1);
  const roundMs = draftingMs(costs, draftLength) + verificationMs;
  return (expectedTokensPerRound(acceptance, draftLength) * plainMs) / roundMs;
}

/** Draft length from 0 to `longest` with the highest expected speed, and that speed. */
export function bestDraftLength(
  acceptance: number,
  costs: StepCosts,
  longest: number,
): { readonly draftLength: number; readonly speedup: number } {
  let best = { draftLength: 0, speedup: 1 };
  for (let length = 1; length <= longest; length++) {
    const speedup = expectedSpeedup(acceptance, length, costs);
    if (speedup > best.speedup) best = { draftLength: length, speedup };
  }
  return best;
}

/** Cost of drafting so many tokens. */
export function draftingMs({ draftStartMs, draftMs }: StepCosts, draftLength: number): number {
  return draftLength === 0 ? 0 : draftStartMs + draftLength * draftMs;
}

/** Cost of a target step of `width` tokens: measured, or extended from the last two measured widths. */
export function targetStepMs(costs: StepCosts, width: number): number {
  const measured = costs.targetMs[width - 1];
  if (measured !== undefined) return measured;
  const count = costs.targetMs.length;
  const last = costs.targetMs[count - 1] ?? Number.NaN;
  const slope = count > 1 ? (last - costs.targetMs[0]!) / (count - 1) : last;
  return last + slope * (width - count);
}
