import type { ModelConfig } from '../../hf/index.ts';
import { listUnits } from '../../lib/units.ts';
import type { DraftPlan } from '../../plan/types.ts';

/** Precision of what a draft computes: `f32` shares the target's weights. */
export type DraftPrecision = 'f32' | 'int8' | 'int4';

/** A draft whose steps are timed. */
export interface ShapeDraft {
  readonly precision: DraftPrecision;
  /** Layers computed, attention and MLP alike. */
  readonly keptLayers: number;
  /** Tokens that it may propose, where not all: the LM head has rows for these alone, at 8 bits where nothing else is rounded. */
  readonly numTokens?: number;
}

const KEPT_SHARES = [1, 3 / 4, 1 / 2, 1 / 4];
/** Part of the vocabulary that a reduced one has. */
const REDUCED_SHARE = 1 / 8;

/**
 * Every precision at every depth, with all tokens and with an eighth of them; but for all layers with the target's own
 * weights: that is the target.
 */
export function listShapeDrafts({ numLayers, vocabSize }: ModelConfig): ShapeDraft[] {
  const depths = [...new Set(KEPT_SHARES.map((share) => Math.max(1, Math.round(share * numLayers))))];
  const numTokens = reducedTokens(vocabSize);
  return (['f32', 'int8', 'int4'] as const)
    .flatMap((precision) => depths.map((keptLayers) => ({ precision, keptLayers })))
    .filter(({ precision, keptLayers }) => precision !== 'f32' || keptLayers < numLayers)
    .flatMap((draft): ShapeDraft[] => [draft, { ...draft, numTokens }]);
}

/** Tokens of a reduced vocabulary. */
export function reducedTokens(vocabSize: number): number {
  return Math.ceil(REDUCED_SHARE * vocabSize);
}

/** The plan of such a draft. Layers to drop are spread evenly, as scores tend to: neighbours would share a gate and cost less. */
export function planOfShapeDraft(
  { precision, keptLayers, numTokens }: ShapeDraft,
  numLayers: number,
): DraftPlan {
  const isKept = (layer: number): boolean =>
    Math.floor(((layer + 1) * keptLayers) / numLayers) > Math.floor((layer * keptLayers) / numLayers);
  const units = listUnits(numLayers);
  const dropped = units.filter(({ layer }) => !isKept(layer));
  // Which tokens they are does not matter to the time.
  const vocabulary = numTokens === undefined ? undefined : Array.from({ length: numTokens }, (_, id) => id);
  if (precision === 'f32') return { dropped, ...(vocabulary && { head: 'int8', vocabulary }) };
  const rounded = { [precision]: units.filter(({ layer }) => isKept(layer)), head: precision };
  return { dropped, ...rounded, ...(vocabulary && { vocabulary }) };
}
