import type { Draft } from './draft.ts';
import type { Sequence } from './sequence.ts';

/**
 * Anything that proposes tokens. It sees prompt and accepted tokens through the sequence, and leaves the sequence as it
 * found it.
 */
export interface Drafter {
  /** Up to `longest` tokens that may follow; none for 0. */
  draft(sequence: Sequence, longest: number): Draft;
}
