import type { UnitScore } from '../types.ts';

/** Pairs scores [2L] with the names of their units: `0.attn`, `0.mlp`, `1.attn`, ... */
export function nameUnits(scores: readonly number[]): UnitScore[] {
  return scores.map((score, unit) => ({ name: unitName(unit), score }));
}

/** `3.attn` for 6, `3.mlp` for 7. */
export function unitName(unit: number): string {
  return `${unit >> 1}.${unit % 2 === 0 ? 'attn' : 'mlp'}`;
}
