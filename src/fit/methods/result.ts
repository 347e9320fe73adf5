import { listUnitNames } from '../../lib/units.ts';
import type { UnitScore } from '../types.ts';

/** Pairs scores [2L] with the names of their units: `0.attn`, `0.mlp`, `1.attn`, ... */
export function nameUnits(scores: readonly number[]): UnitScore[] {
  const names = listUnitNames(scores.length / 2);
  return scores.map((score, unit) => ({ name: names[unit]!, score }));
}
