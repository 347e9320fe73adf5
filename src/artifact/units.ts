import type { Unit } from '../plan/types.ts';

/** How a unit is written: `3.attn`, `7.mlp`. */
export const UNIT_NAME: RegExp = /^(?:0|[1-9]\d{0,5})\.(?:attn|mlp)$/;

/** `3.attn` → layer 3, attention block; undefined for anything else. */
export function parseUnit(name: string): Unit | undefined {
  if (!UNIT_NAME.test(name)) return undefined;
  const [layer, block] = name.split('.');
  return { layer: Number(layer), block: block === 'attn' ? 'attn' : 'mlp' };
}

/** The names of all units of a model, in the order of scores and matrices. */
export function listUnitNames(numLayers: number): string[] {
  return Array.from({ length: numLayers }, (_, layer) => [`${layer}.attn`, `${layer}.mlp`]).flat();
}
