import type { StepCosts } from '../lib/speedup.ts';

/** How fast the common factor follows a target step, and how fast one width's share of it does once it is well known. */
const LOAD_RATE = 0.2;
const SHAPE_RATE = 0.02;
/** A draft may be small enough for the caches: what slows the target by half need not slow it. */
const DRAFT_RATE = 0.1;
/** The shape measured at load counts as so many runs more: all of it was measured in the same second. */
const FIRST_OBSERVATIONS = 12;
/** A run that took longer than this times the expected counts as this: a pause of the machine is no cost of a width. */
const LARGEST_RATIO = 2;

interface Estimate {
  /** Relative to the common factor. */
  ms: number;
  observations: number;
}

/**
 * What steps cost on this machine now. Costs are kept as a shape (draft steps and target steps by width) times a common
 * factor, which the target steps set: a busy machine slows every width alike, and one that is not in use must not look
 * fast because it was measured in quieter times.
 */
export class StepMeter {
  readonly #firstDraft: Estimate;
  readonly #nextDraft: Estimate;
  readonly #target: readonly Estimate[];
  #load = 1;

  /** `initial`: measured at load; `observations` says of how many runs each. */
  constructor(initial: StepCosts, observations: number) {
    this.#firstDraft = { ms: initial.draftStartMs + initial.draftMs, observations };
    this.#nextDraft = { ms: initial.draftMs, observations };
    this.#target = initial.targetMs.map((ms) => ({ ms, observations }));
  }

  /** Costs in milliseconds at present. */
  get costs(): StepCosts {
    const targetMs = toNondecreasing(this.#target).map((ms) => ms * this.#load);
    const [first, draftMs] = [this.#firstDraft.ms * this.#load, this.#nextDraft.ms * this.#load];
    return { draftMs, draftStartMs: Math.max(0, first - draftMs), targetMs };
  }

  /** Steps of one token that were timed so far. */
  get plainSteps(): number {
    return this.#target[0]?.observations ?? 0;
  }

  /** A round's draft: its first step, and each of the `next` steps on average. */
  recordDraft(firstMs: number, next: { readonly steps: number; readonly ms: number }): void {
    this.#record(this.#firstDraft, firstMs, DRAFT_RATE);
    if (next.steps > 0) this.#record(this.#nextDraft, next.ms, DRAFT_RATE);
  }

  /** One target step over `width` tokens; a width beyond those measured at load is ignored. */
  recordTarget(width: number, ms: number): void {
    const estimate = this.#target[width - 1];
    if (estimate !== undefined) this.#load *= this.#record(estimate, ms, SHAPE_RATE) ** LOAD_RATE;
  }

  /** Returns how many times the expected it took. */
  #record(estimate: Estimate, ms: number, rate: number): number {
    const expected = estimate.ms * this.#load;
    if (!(expected > 0 && ms > 0)) return 1;
    const ratio = Math.min(LARGEST_RATIO, Math.max(1 / LARGEST_RATIO, ms / expected));
    estimate.observations++;
    // Geometric means: times have a long tail on one side.
    estimate.ms *= ratio ** Math.max(rate, 1 / (estimate.observations + FIRST_OBSERVATIONS));
    return ratio;
  }
}

/**
 * The nearest costs that do not fall with the width, weighted by observations (pool adjacent violators; Ayer et al.
 * 1955): a width that seems dearer than a wider one is stale, or was measured while others were busy.
 */
function toNondecreasing(estimates: readonly Estimate[]): number[] {
  const pools: { ms: number; weight: number; count: number }[] = [];
  for (const { ms, observations } of estimates) {
    let pool = { ms, weight: observations, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.ms > pool.ms; last = pools.at(-1)) {
      const weight = last.weight + pool.weight;
      pool = {
        ms: (last.ms * last.weight + pool.ms * pool.weight) / weight,
        weight,
        count: last.count + pool.count,
      };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ ms, count }) => new Array<number>(count).fill(ms));
}
