import type { StepCosts } from '../lib/speedup.ts';

/** How fast the common factor follows a run, and how fast one width's share of it does once it is well known. */
const LOAD_RATE = 0.2;
const SHAPE_RATE = 0.02;
/** A run that took longer than this times the expected counts as this: a pause of the machine is no cost of a width. */
const LARGEST_RATIO = 2;

interface Estimate {
  /** Relative to the common factor. */
  ms: number;
  observations: number;
}

/**
 * What steps cost on this machine now. Costs are kept as a shape (draft step and target steps by width) times a common
 * factor: a busy machine slows every width alike, and a width that is not in use must not look fast because it was
 * measured in quieter times.
 */
export class StepMeter {
  readonly #draft: Estimate;
  readonly #target: readonly Estimate[];
  #load = 1;

  /** `initial`: measured at load; `observations` says of how many runs each. */
  constructor(initial: StepCosts, observations: number) {
    this.#draft = { ms: initial.draftMs, observations };
    this.#target = initial.targetMs.map((ms) => ({ ms, observations }));
  }

  /** Costs in milliseconds at present. */
  get costs(): StepCosts {
    const targetMs = toNondecreasing(this.#target).map((ms) => ms * this.#load);
    return { draftMs: this.#draft.ms * this.#load, targetMs };
  }

  /** Steps of one token that were timed so far. */
  get plainSteps(): number {
    return this.#target[0]?.observations ?? 0;
  }

  /** `ms` per draft step. */
  recordDraft(ms: number): void {
    this.#record(this.#draft, ms);
  }

  /** One target step over `width` tokens; a width beyond those measured at load is ignored. */
  recordTarget(width: number, ms: number): void {
    const estimate = this.#target[width - 1];
    if (estimate !== undefined) this.#record(estimate, ms);
  }

  #record(estimate: Estimate, ms: number): void {
    const expected = estimate.ms * this.#load;
    if (!(expected > 0 && ms > 0)) return;
    const ratio = Math.min(LARGEST_RATIO, Math.max(1 / LARGEST_RATIO, ms / expected));
    estimate.observations++;
    // Geometric means: times have a long tail on one side.
    estimate.ms *= ratio ** Math.max(SHAPE_RATE, 1 / (estimate.observations + 4));
    this.#load *= ratio ** LOAD_RATE;
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
