/** What a round yields: the first `accepted` draft tokens, then `next`, the target's recovered or bonus token. */
export interface Verdict {
  readonly accepted: number;
  readonly next: number;
}

/**
 * Coupled verification (Daliri et al. 2024): a draft token is accepted while it is the target's own sample.
 * `sampleTarget(row)` is the target's token after the first `row` draft tokens. Every emitted token is the target's.
 */
export function verifyCoupled(draft: readonly number[], sampleTarget: (row: number) => number): Verdict {
  for (let row = 0; row < draft.length; row++) {
    const next = sampleTarget(row);
    if (next !== draft[row]) return { accepted: row, next };
  }
  return { accepted: draft.length, next: sampleTarget(draft.length) };
}

/** Randomness of rejection verification, uniform in (0, 1) and independent of each other and of the draft's samples. */
export interface RejectionNoise {
  /** Decides on draft token `row`. */
  acceptance(row: number): number;
  /** Picks the recovered or bonus token of `row`. */
  recovery(row: number): number;
}

/**
 * Speculative sampling (Leviathan et al. 2023, algorithm 1): draft token x is accepted with probability
 * min(1, targetProbs[x] / draftProbs[x]); the recovered token comes from the positive part of targetProbs - draftProbs.
 * A drafter that had no choice has no distribution: its token had probability 1.
 * `targetProbs(row)` is the target's distribution after the first `row` draft tokens, valid until the next call.
 */
export function verifyRejection(
  draft: readonly number[],
  draftProbs: readonly Float32Array[], // draft.length x [V], or empty: nothing was left to chance
  targetProbs: (row: number) => Float32Array, // [V]
  noise: RejectionNoise,
): Verdict {
  for (let row = 0; row < draft.length; row++) {
    const [token, wanted] = [draft[row]!, targetProbs(row)];
    const proposed = (id: number): number => draftProbs[row]?.[id] ?? (id === token ? 1 : 0);
    if (noise.acceptance(row) * proposed(token) < wanted[token]!) continue;
    return { accepted: row, next: drawRecovered(wanted, proposed, noise.recovery(row)) };
  }
  const wanted = targetProbs(draft.length);
  return { accepted: draft.length, next: draw(wanted, noise.recovery(draft.length)) ?? 0 };
}

/** A sample of the positive part of wanted - proposed; of `wanted` where rounding left nothing of it. */
function drawRecovered(wanted: Float32Array, proposed: (id: number) => number, uniform: number): number {
  const residual = wanted.map((probability, id) => Math.max(0, probability - proposed(id)));
  return draw(residual, uniform) ?? draw(wanted, uniform) ?? 0;
}

/** Inverse of the cumulative weights, which need not add up to 1; the last positive one takes what rounding leaves. */
function draw(weights: Float32Array, uniform: number): number | undefined {
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let last: number | undefined;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id]! <= 0) continue;
    last = id;
    left -= weights[id]!;
    if (left < 0) return id;
  }
  return last;
}
