/** Tokens by position; undefined outside. */
export interface TokenView {
  readonly length: number;
  at(position: number): number | undefined;
}

/** An earlier place that reads like the end of the text. */
export interface Match {
  /** Position of the token that followed there. */
  readonly next: number;
  /** Tokens that agree, counted backwards from the end; 1..{@linkcode LONGEST_MATCH}. */
  readonly length: number;
}

/** Longer agreement is not told apart. */
export const LONGEST_MATCH = 32;
/** Earlier places with the same last two tokens that are compared, the latest first. */
const MOST_CANDIDATES = 16;
/** Tokens that can be found again; older ones are forgotten. Bounds the memory to 12 bytes for each. */
const MOST_TOKENS = 2 ** 16;
const FEWEST_TOKENS = 2 ** 8;

/**
 * Finds where the end of a text occurred before: the longest of the latest places (hash chains over token pairs, as in
 * LZ77 compressors; Saxena 2023, "prompt lookup decoding"). Constant time and memory per token.
 */
export class NgramIndex {
  readonly #mask: number;
  /** Latest end of a token pair, and of a single token, by hash; end + 1, 0 for none. */
  readonly #pairs: Int32Array;
  readonly #singles: Int32Array;
  /** By end (ring): the end before it in its chain, + 1. */
  readonly #earlier: Int32Array;
  /** Tokens before this position are in the index: their successor is known. */
  #indexed = 0;

  /** `capacity`: most tokens that the text will have. */
  constructor(capacity: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.min(MOST_TOKENS, Math.max(FEWEST_TOKENS, capacity))));
    this.#mask = size - 1;
    this.#pairs = new Int32Array(size);
    this.#singles = new Int32Array(size);
    this.#earlier = new Int32Array(size);
  }

  /** Tokens whose successor the index knows. */
  get length(): number {
    return this.#indexed;
  }

  /** Takes in the token at {@linkcode length}, which must have a successor. */
  add(tokens: TokenView): void {
    const end = this.#indexed++;
    const [token, before] = [tokens.at(end)!, tokens.at(end - 1)];
    this.#singles[hashOf(token, 0) & this.#mask] = end + 1;
    if (before === undefined) return;
    const pair = hashOf(token, before + 1) & this.#mask;
    this.#earlier[end & this.#mask] = this.#pairs[pair]!;
    this.#pairs[pair] = end + 1;
  }

  /** The longest match of the text that ends at `last` among indexed places, the latest of equals; null: there is none. */
  find(tokens: TokenView, last: number): Match | null {
    const [token, before] = [tokens.at(last), tokens.at(last - 1)];
    if (token === undefined) return null;
    const longest = before === undefined ? null : this.#findLongest(tokens, last, hashOf(token, before + 1));
    if (longest !== null) return longest;
    const end = this.#singles[hashOf(token, 0) & this.#mask]! - 1;
    return end >= 0 && tokens.at(end) === token ? { next: end + 1, length: 1 } : null;
  }

  #findLongest(tokens: TokenView, last: number, pair: number): Match | null {
    const oldest = Math.max(0, this.#indexed - this.#mask);
    let best: Match | null = null;
    let end = this.#pairs[pair & this.#mask]! - 1;
    for (let i = 0; i < MOST_CANDIDATES && end >= oldest; i++) {
      const length = countAgreement(tokens, end, last);
      // A pair of the same hash but other tokens agrees in fewer than two.
      if (length > Math.max(1, best?.length ?? 0)) best = { next: end + 1, length };
      if (length === LONGEST_MATCH) break;
      end = this.#earlier[end & this.#mask]! - 1;
    }
    return best;
  }
}

/** The `count` tokens from `next` on; a copy that reaches the end of the text goes on with what it copied itself. */
export function continueFrom(tokens: TokenView, next: number, count: number): number[] {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) ids.push(tokens.at(next + i) ?? ids[next + i - tokens.length]!);
  return ids;
}

/** Tokens that the texts ending at `end` and at `last` have in common, counted backwards. */
function countAgreement(tokens: TokenView, end: number, last: number): number {
  let length = 0;
  while (length < LONGEST_MATCH && length <= end && tokens.at(end - length) === tokens.at(last - length)) {
    length++;
  }
  return length;
}

/** Multiplicative hashing (Knuth); the constants are odd and far from simple ratios. */
function hashOf(token: number, before: number): number {
  const mixed = Math.imul(token ^ Math.imul(before, 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
