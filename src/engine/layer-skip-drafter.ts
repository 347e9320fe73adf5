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
   * however small its lead: dropping tokens by their own probability would bias rejection sampling.
   */
  draft(sequence: Sequence, draftLength: number, mayStop: boolean): Draft {
    const { history, model, policy, request } = sequence;
    const [knownTokens, verifiedPositions] = [history.length, model.length];
    const [probs, leads]: [Float32Array[], number[]] = [[], []];
    const started = performance.now();
    let [firstMs, reach] = [0, 1];
    try {
      for (let i = 0; i < draftLength; i++) {
        const logits = model.forward(sequence.pending, 1, 'draft');
        if (request.speculation.verification === 'rejection') {
          probs.push(this.#decoder.draftProbs(sequence, logits));
        }
        const id = this.#decoder.sampleDraft(sequence, logits, knownTokens);
        history.push(id);
        if (i === 0) firstMs = performance.now() - started;
        if (!mayStop) continue;
        const { lead } = this.#decoder;
        leads.push(lead);
        reach *= policy.acceptanceAt(lead);
        if (!policy.isNextWorth(reach, i + 1)) break;
      }
      const ids = history.from(knownTokens);
      const steps = ids.length - 1;
      const ms = (performance.now() - started - firstMs) / steps;
      this.#decoder.knowledge.meter.recordDraft(firstMs, { steps, ms });
      return { origin: 'draft', ids, probs, leads };
    } finally {
      history.trim(knownTokens);
      model.trim(verifiedPositions);
    }
  }
}
