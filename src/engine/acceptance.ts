/**
 * Probability that a draft token is accepted, estimated from counts that fade, so that it follows the text. A rejection
 * ends a draft, hence `accepted / (accepted + rejections)` is the maximum-likelihood estimate of the geometric model.
 */
export class AcceptanceEstimate {
  readonly #keepPerTrial: number;
  #accepted: number;
  #trials: number;

  /** `weight`: how many trials `prior` stands for; `memory`: trials after which a count has faded to 1/e. */
  constructor(prior: number, weight: number, memory: number) {
    this.#accepted = prior * weight;
    this.#trials = weight;
    this.#keepPerTrial = Math.exp(-1 / memory);
  }

  get rate(): number {
    return this.#accepted / this.#trials;
  }

  /** A round's outcome: the first `accepted` of `drafted` tokens were accepted. */
  record(drafted: number, accepted: number): void {
    const trials = accepted + (accepted < drafted ? 1 : 0);
    const keep = this.#keepPerTrial ** trials;
    this.#accepted = this.#accepted * keep + accepted;
    this.#trials = this.#trials * keep + trials;
  }
}
