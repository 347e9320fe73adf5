/**
 * The tokens of a sequence, prompt first, with the counts that penalties need. Cut with an absolute length,
 * so that a draft can be pushed while it is made and dropped again.
 */
export class TokenHistory {
  readonly promptLength: number;
  readonly #ids: number[];
  readonly #promptIds: ReadonlySet<number>;
  /** Generated tokens only. */
  readonly #counts: Map<number, number> = new Map();

  constructor(promptIds: readonly number[]) {
    this.promptLength = promptIds.length;
    this.#ids = [...promptIds];
    this.#promptIds = new Set(promptIds);
  }

  get length(): number {
    return this.#ids.length;
  }

  /** Ids from `start` on; a copy. */
  from(start: number): number[] {
    return this.#ids.slice(start);
  }

  /** Ids of [start, end); a copy. */
  slice(start: number, end: number): number[] {
    return this.#ids.slice(start, end);
  }

  /** Occurrences of generated tokens, by id. */
  get generatedCounts(): ReadonlyMap<number, number> {
    return this.#counts;
  }

  /** Distinct prompt tokens. */
  get promptTokens(): ReadonlySet<number> {
    return this.#promptIds;
  }

  push(id: number): void {
    this.#ids.push(id);
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  /** Drops every token at or after `length`, which is not under the prompt's. */
  trim(length: number): void {
    if (length < this.promptLength) {
      throw new RangeError(`cannot trim to ${length} tokens: the prompt has ${this.promptLength}`);
    }
    while (this.#ids.length > length) this.#forget(this.#ids.pop()!);
  }

  #forget(id: number): void {
    const count = this.#counts.get(id)!;
    if (count === 1) this.#counts.delete(id);
    else this.#counts.set(id, count - 1);
  }
}
