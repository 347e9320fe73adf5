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
   * `draftLength` tokens; fewer where `mayStop` and the next one is not worth its cost, or where the draft has no token
   * that may come next. The last token is verified however small its lead: dropping tokens by their own probability
   * would bias rejection sampling.
   */
  draft(sequence: Sequence, draftLength: number, mayStop: boolean): Draft {
    const { history, model, policy, request } = sequence;
    const [knownTokens, verifiedPositions] = [history.length, model.length];
    const [probs, leads]: [Float32Array[], number[]] = [[], []];
    const started = performance.now();
    let [steps, firstMs, reach] = [0, 0, 1];
    try {
      while (steps < draftLength) {
        const logits = model.forward(sequence.pending, 1, 'draft');
        const id = this.#decoder.sampleDraft(sequence, logits, knownTokens);
        if (id !== undefined) {
          if (request.speculation.verification === 'rejection') {
            probs.push(this.#decoder.draftProbs(sequence, logits));
          }
          history.push(id);
        }
        steps++;
        if (steps === 1) firstMs = performance.now() - started;
        if (id === undefined) break;
        if (!mayStop) continue;
        const { lead } = this.#decoder;
        leads.push(lead);
        reach *= policy.acceptanceAt(lead);
        if (!policy.isNextWorth(reach, steps)) break;
      }
      const ids = history.from(knownTokens);
      if (ids.length === 0) policy.recordFruitless();
      const ms = (performance.now() - started - firstMs) / (steps - 1);
      this.#decoder.knowledge.meter.recordDraft(firstMs, { steps: steps - 1, ms });
      return { origin: 'draft', ids, probs, leads };
    } finally {
      history.trim(knownTokens);
      model.trim(verifiedPositions);
    }
  }
}
