/** Averages over rounds that fade, so that they follow the text. Costs are in plain steps: target steps of one token. */
export class RoundAverage {
  readonly #keepPerRound: number;
  #rounds: number;
  #tokens: number;
  #cost: number;

  /** `weight`: how many rounds the prior stands for; `memory`: rounds after which one has faded to 1/e. */
  constructor(prior: { readonly tokens: number; readonly cost: number }, weight: number, memory: number) {
    this.#keepPerRound = Math.exp(-1 / memory);
    this.#rounds = weight;
    this.#tokens = prior.tokens * weight;
    this.#cost = prior.cost * weight;
  }

  /** Tokens of a round. */
  get tokens(): number {
    return this.#tokens / this.#rounds;
  }

  /** Cost of a round. */
  get cost(): number {
    return this.#cost / this.#rounds;
  }

  /** Tokens per plain step: above 1, faster than plain decoding. */
  get speed(): number {
    return this.#tokens / this.#cost;
  }

  record(tokens: number, cost: number): void {
    this.#rounds = this.#rounds * this.#keepPerRound + 1;
    this.#tokens = this.#tokens * this.#keepPerRound + tokens;
    this.#cost = this.#cost * this.#keepPerRound + cost;
  }
}
