import { listUnits } from '../../lib/units.ts';
import type { DraftPlan } from '../../plan/types.ts';

/** Precision of what a draft computes: `f32` shares the target's weights. */
export type DraftPrecision = 'f32' | 'int8' | 'int4';

/** A draft whose steps are timed. */
export interface ShapeDraft {
  readonly precision: DraftPrecision;
  /** Layers computed, attention and MLP alike. */
  readonly keptLayers: number;
}

const KEPT_SHARES = [1, 3 / 4, 1 / 2, 1 / 4];

/** Every precision at every depth, but for all layers with the target's own weights: that is the target. */
export function listShapeDrafts(numLayers: number): ShapeDraft[] {
  const depths = [...new Set(KEPT_SHARES.map((share) => Math.max(1, Math.round(share * numLayers))))];
  const drafts = (['f32', 'int8', 'int4'] as const).flatMap((precision) =>
    depths.map((keptLayers): ShapeDraft => ({ precision, keptLayers })),
  );
  return drafts.filter(({ precision, keptLayers }) => precision !== 'f32' || keptLayers < numLayers);
}

/** The plan of such a draft. Layers to drop are spread evenly, as scores tend to: neighbours would share a gate and cost less. */
export function planOfShapeDraft({ precision, keptLayers }: ShapeDraft, numLayers: number): DraftPlan {
  const isKept = (layer: number): boolean =>
    Math.floor(((layer + 1) * keptLayers) / numLayers) > Math.floor((layer * keptLayers) / numLayers);
  const units = listUnits(numLayers);
  const dropped = units.filter(({ layer }) => !isKept(layer));
  if (precision === 'f32') return { dropped };
  return { dropped, [precision]: units.filter(({ layer }) => isKept(layer)), head: precision };
}
