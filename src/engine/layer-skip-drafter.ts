import type { Decoder } from './decoder.ts';
import type { Draft } from './draft.ts';
import type { Sequence } from './sequence.ts';

/**
 * The model itself with low-impact units skipped, on the target's KV cache. Its own rows go behind the verified ones
 * and are given up at the end of the draft.
 */
export class LayerSkipDrafter {
  readonly #decoder: Decoder;

  constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  /**
   * `draftLength` tokens; fewer where `mayStop` and the next one is not worth its cost. The last token is verified
   * however unsure the draft is of it: dropping tokens by their own probability would bias rejection sampling.
   */
  draft(sequence: Sequence, draftLength: number, mayStop: boolean): Draft {
    const { history, model, policy, request } = sequence;
    const [knownTokens, verifiedPositions] = [history.length, model.length];
    const [probs, confidences]: [Float32Array[], number[]] = [[], []];
    const started = performance.now();
    let reach = 1;
    try {
      for (let i = 0; i < draftLength; i++) {
        const logits = model.forward(sequence.pending, 1, 'draft');
        if (request.speculation.verification === 'rejection') {
          probs.push(this.#decoder.draftProbs(sequence, logits, i));
        }
        const id = this.#decoder.sampleDraft(sequence, logits, knownTokens);
        history.push(id);
        if (!mayStop) continue;
        const confidence = this.#decoder.confidence(sequence, logits, id);
        confidences.push(confidence);
        reach *= policy.acceptanceAt(confidence);
        if (!policy.isNextWorth(reach, i + 1)) break;
      }
      const ids = history.from(knownTokens);
      this.#decoder.knowledge.meter.recordDraft((performance.now() - started) / ids.length);
      return { origin: 'draft', ids, probs, confidences };
    } finally {
      history.trim(knownTokens);
      model.trim(verifiedPositions);
    }
  }
}
