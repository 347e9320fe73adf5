import type { Decoder } from './decoder.ts';
import type { Sequence } from './sequence.ts';

/** Tokens proposed for one round. */
export interface Draft {
  readonly ids: readonly number[];
  /** The distributions that they were drawn from, ids.length x [V], for rejection verification; else empty. */
  readonly probs: readonly Float32Array[];
}

/**
 * Anything that proposes tokens. It sees prompt and accepted tokens through the sequence, and leaves the sequence as it
 * found it.
 */
export interface Drafter {
  /** Up to `max` tokens that may follow; none for 0. */
  draft(sequence: Sequence, max: number): Draft;
}

const NO_TOKENS: Draft = { ids: [], probs: [] };

/** Proposes nothing: plain decoding. */
export const noDrafter: Drafter = { draft: () => NO_TOKENS };

/**
 * The model itself with low-impact units skipped, on the target's KV cache. Its own rows go behind the verified ones
 * and are given up at the end of the draft.
 */
export class LayerSkipDrafter implements Drafter {
  readonly #decoder: Decoder;

  constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  draft(sequence: Sequence, max: number): Draft {
    const { history, model } = sequence;
    if (max === 0) return NO_TOKENS;
    const [knownTokens, verifiedPositions] = [history.length, model.length];
    const probs: Float32Array[] = [];
    try {
      for (let i = 0; i < max; i++) {
        const logits = model.forward(sequence.pending, 1, 'draft');
        if (sequence.request.speculation.verification === 'rejection') {
          probs.push(this.#decoder.draftProbs(sequence, logits, i));
        }
        history.push(this.#decoder.sample(sequence, logits));
      }
      return { ids: history.from(knownTokens), probs };
    } finally {
      history.trim(knownTokens);
      model.trim(verifiedPositions);
    }
  }
}
