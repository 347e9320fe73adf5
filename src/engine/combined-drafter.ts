import { type Draft, NO_DRAFT } from './draft.ts';
import type { Drafter } from './drafter.ts';
import type { LayerSkipDrafter } from './layer-skip-drafter.ts';
import type { Sequence } from './sequence.ts';

/** Prompt lookup or the model draft, whichever the sequence's policy expects more of in this round; or neither. */
export class CombinedDrafter implements Drafter {
  readonly #modelDrafter: LayerSkipDrafter;

  constructor(modelDrafter: LayerSkipDrafter) {
    this.#modelDrafter = modelDrafter;
  }

  draft(sequence: Sequence, longest: number): Draft {
    const { lookup, policy } = sequence;
    const match = longest === 0 ? null : (lookup?.match() ?? null);
    const { drafter, draftLength, mayStop } = policy.plan(longest, match?.length ?? 0);
    if (drafter === 'draft') return this.#modelDrafter.draft(sequence, draftLength, mayStop);
    if (drafter === 'lookup' && lookup && match) return lookup.draft(match, draftLength);
    return NO_DRAFT;
  }
}
