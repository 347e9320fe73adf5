import type { Unit } from '../lib/units.ts';
import type { Rounding } from '../quant/types.ts';

export type { Unit };

/** What the draft does with each unit: skips it, computes it with rounded weights, or shares it with the target. */
export interface DraftPlan {
  readonly dropped: readonly Unit[];
  /**
   * Computed with weights rounded to 4 bits, and to 8; units in no list are the target's own. Where the target has weights
   * of 4 bits too they are the same ones, and the draft differs by rounding activations to 8 bits.
   */
  readonly int4?: readonly Unit[];
  readonly int8?: readonly Unit[];
  /** Rounding of the draft's LM head; default: the target's own head. */
  readonly head?: Rounding | 'shared';
  /** Tokens that the draft may propose, ids ascending: a rounded head has rows for these alone. Default: all. */
  readonly vocabulary?: readonly number[];
}
