import type { Draft } from './draft.ts';
import { continueFrom, type Match, NgramIndex } from './ngram-index.ts';
import type { TokenHistory } from './token-history.ts';

/**
 * Prompt lookup of one sequence: where the end of the text occurred before, what followed there is proposed. Costs no
 * step. Every generated token also scores the guess that was or would have been made for it.
 */
export class LookupDrafter {
  readonly #history: TokenHistory;
  readonly #index: NgramIndex;
  readonly #onGuess: (matchLength: number, isRight: boolean) => void;

  /** `capacity`: most tokens that the sequence will have. `onGuess` is told of every guess once its token is known. */
  constructor(
    history: TokenHistory,
    capacity: number,
    onGuess: (matchLength: number, isRight: boolean) => void,
  ) {
    this.#history = history;
    this.#index = new NgramIndex(capacity);
    this.#onGuess = onGuess;
  }

  /** The match of the text's end; null where it is new. Takes in the tokens since the last call. */
  match(): Match | null {
    while (this.#index.length < this.#history.length - 1) this.#takeIn(this.#index.length);
    return this.#index.find(this.#history, this.#history.length - 1);
  }

  /** `draftLength` tokens that followed the match. */
  draft({ next }: Match, draftLength: number): Draft {
    const ids = continueFrom(this.#history, next, draftLength);
    return { origin: 'lookup', ids, probs: [], leads: [] };
  }

  /** The token at `end`, whose successor is known. */
  #takeIn(end: number): void {
    const following = this.#history.at(end + 1);
    // A prompt repeats itself more than its answer repeats it: only generated tokens count.
    if (end + 1 >= this.#history.promptLength) {
      const match = this.#index.find(this.#history, end);
      if (match !== null) this.#onGuess(match.length, this.#history.at(match.next) === following);
    }
    this.#index.add(this.#history);
  }
}
