/** What a round brings and takes, on average. */
export interface TypicalRound {
  readonly tokens: number;
  readonly drafted: number;
}

/** Averages over rounds that fade, so that they follow the text. */
export class RoundAverage implements TypicalRound {
  readonly #keepPerRound: number;
  #rounds: number;
  #tokens: number;
  #drafted: number;

  /** `weight`: how many rounds the prior stands for; `memory`: rounds after which one has faded to 1/e. */
  constructor(prior: TypicalRound, weight: number, memory: number) {
    this.#keepPerRound = Math.exp(-1 / memory);
    this.#rounds = weight;
    this.#tokens = prior.tokens * weight;
    this.#drafted = prior.drafted * weight;
  }

  get tokens(): number {
    return this.#tokens / this.#rounds;
  }

  get drafted(): number {
    return this.#drafted / this.#rounds;
  }

  record({ tokens, drafted }: TypicalRound): void {
    this.#rounds = this.#rounds * this.#keepPerRound + 1;
    this.#tokens = this.#tokens * this.#keepPerRound + tokens;
    this.#drafted = this.#drafted * this.#keepPerRound + drafted;
  }
}
