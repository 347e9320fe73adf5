import type { TokenOrigin } from './types.ts';

/** Who drafted: the model draft or prompt lookup. */
export type DraftOrigin = Exclude<TokenOrigin, 'target'>;

/** Tokens proposed for one round. */
export interface Draft {
  readonly origin: DraftOrigin;
  readonly ids: readonly number[];
  /** The distributions that they were drawn from, ids.length x [V], for rejection verification; empty: no chance was in it. */
  readonly probs: readonly Float32Array[];
  /** How far each token was ahead of the drafter's next best, see `Sampler.lead`; empty where it was not looked at. */
  readonly leads: readonly number[];
}

/** Proposes nothing: plain decoding. */
export const NO_DRAFT: Draft = { origin: 'draft', ids: [], probs: [], leads: [] };
