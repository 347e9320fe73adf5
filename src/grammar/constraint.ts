import { SdfpError } from '../lib/errors.ts';
import { DEAD } from './automaton.ts';
import type { TokenMasks } from './token-masks.ts';
import type { TokenVocabulary } from './types.ts';

/** State of a text that has ended: nothing but the end token may follow. */
const ENDED = -2;

/**
 * Keeps one sequence to a grammar. It follows the tokens as they are pushed and cut, drafted ones included, so draft and
 * target obey the same masks at each position.
 */
export class TokenConstraint {
  readonly #masks: TokenMasks;
  readonly #vocabulary: TokenVocabulary;
  readonly #endIds: readonly number[];
  readonly #limit: number;
  /** State before each generated token, and after the last. */
  readonly #states: number[];

  /** `endIds`: tokens that end the text; `limit`: most tokens that will be generated. */
  constructor(masks: TokenMasks, vocabulary: TokenVocabulary, endIds: readonly number[], limit: number) {
    this.#masks = masks;
    this.#vocabulary = vocabulary;
    this.#endIds = endIds;
    this.#limit = limit;
    this.#states = [masks.automaton.start];
  }

  push(id: number): void {
    const state = this.#states.at(-1)!;
    this.#states.push(this.#endIds.includes(id) || state < 0 ? ENDED : this.#step(state, id));
  }

  /** Keeps the first `count` generated tokens. */
  trim(count: number): void {
    this.#states.length = count + 1;
  }

  /** Takes every token that may not come next out of `logits` [V]. */
  apply(logits: Float32Array): void {
    const state = this.#states.at(-1)!;
    const isEnded = state === ENDED;
    const room = this.#limit - (this.#states.length - 1);
    const mask = isEnded ? undefined : this.#masks.within(state, room);
    const kept =
      mask === undefined || mask.canEnd ? this.#endIds.map((id) => [id, logits[id]!] as const) : [];
    if (mask === undefined) logits.fill(Number.NEGATIVE_INFINITY);
    else keepAllowed(logits, mask.words);
    for (const [id, logit] of kept) logits[id] = logit;
    if (kept.length === 0 && mask !== undefined && mask.words.every((word) => word === 0)) throw noToken();
  }

  #step(state: number, id: number): number {
    const { bytes, offsets } = this.#vocabulary;
    const next = this.#masks.automaton.walk(state, bytes.subarray(offsets[id]!, offsets[id + 1]!));
    // A token that was never allowed: only a caller that ignores the masks gets here.
    return next === DEAD ? ENDED : next;
  }
}

function keepAllowed(logits: Float32Array, words: Uint32Array): void {
  for (let id = 0; id < logits.length; id++) {
    if (((words[id >> 5]! >>> (id & 31)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
  }
}

function noToken(): SdfpError {
  return new SdfpError(
    'invalid_request',
    'Following the grammar: no token of the model spells what must come next, needs another schema or model.',
  );
}
