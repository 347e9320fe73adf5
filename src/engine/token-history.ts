import type { TokenConstraint } from '../grammar/index.ts';

/**
 * The tokens of a sequence, prompt first, with the counts that penalties need. Cut with an absolute length,
 * so that a draft can be pushed while it is made and dropped again.
 */
export class TokenHistory {
  readonly promptLength: number;
  /** Follows the generated tokens, where the text must keep to a grammar. */
  readonly constraint: TokenConstraint | undefined;
  readonly #ids: number[];
  readonly #promptIds: ReadonlySet<number>;
  /** Generated tokens only. */
  readonly #counts: Map<number, number> = new Map();

  constructor(promptIds: readonly number[], constraint?: TokenConstraint) {
    this.constraint = constraint;
    this.promptLength = promptIds.length;
    this.#ids = [...promptIds];
    this.#promptIds = new Set(promptIds);
  }

  get length(): number {
    return this.#ids.length;
  }

  /** The id at `position`; undefined outside. */
  at(position: number): number | undefined {
    return this.#ids[position];
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
    this.constraint?.push(id);
  }

  /** Drops every token at or after `length`, which is not under the prompt's. */
  trim(length: number): void {
    if (length < this.promptLength) {
      throw new RangeError(`cannot trim to ${length} tokens: the prompt has ${this.promptLength}`);
    }
    while (this.#ids.length > length) this.#forget(this.#ids.pop()!);
    this.constraint?.trim(this.#ids.length - this.promptLength);
  }

  #forget(id: number): void {
    const count = this.#counts.get(id)!;
    if (count === 1) this.#counts.delete(id);
    else this.#counts.set(id, count - 1);
  }
}
