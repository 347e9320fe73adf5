import type { Unit } from './types.ts';

/** All prunable units of a model with `numLayers` layers, in the order `0.attn`, `0.mlp`, `1.attn`, ... */
export function listUnits(numLayers: number): Unit[] {
  return Array.from({ length: numLayers }, (_, layer): Unit[] => [
    { layer, block: 'attn' },
    { layer, block: 'mlp' },
  ]).flat();
}

/** `3.attn` */
export function unitName(unit: Unit): string {
  return `${unit.layer}.${unit.block}`;
}

/** Place of `unit` in {@linkcode listUnits}. */
export function unitIndex(unit: Unit): number {
  return 2 * unit.layer + (unit.block === 'mlp' ? 1 : 0);
}
