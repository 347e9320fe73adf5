import { AcceptanceEstimate } from './acceptance.ts';

/** Estimates of one probability that depends on a number, by class of that number. */
export class AcceptanceByClass {
  readonly #starts: readonly number[];
  readonly #estimates: readonly AcceptanceEstimate[];

  /** `starts`: where each class begins, ascending; `priors`: one per class; `weight` and `memory`: of each estimate. */
  constructor(starts: readonly number[], priors: readonly number[], weight: number, memory: number) {
    this.#starts = starts;
    this.#estimates = starts.map((_, i) => new AcceptanceEstimate(priors[i]!, weight, memory));
  }

  /** New estimates that start from what these know. */
  fork(weight: number, memory: number): AcceptanceByClass {
    const rates = this.#estimates.map((estimate) => estimate.rate);
    return new AcceptanceByClass(this.#starts, rates, weight, memory);
  }

  rate(value: number): number {
    return this.#of(value).rate;
  }

  record(value: number, isAccepted: boolean): void {
    this.#of(value).record(1, isAccepted ? 1 : 0);
  }

  /** A value under the first start belongs to the first class. */
  #of(value: number): AcceptanceEstimate {
    const index = this.#starts.findLastIndex((start) => value >= start);
    return this.#estimates[Math.max(0, index)]!;
  }
}
