/** A prunable unit: the attention or the MLP block of a layer. Written `3.attn`, `7.mlp`. */
export interface Unit {
  readonly layer: number;
  readonly block: 'attn' | 'mlp';
}

/** How a unit is written: `3.attn`, `7.mlp`. */
export const UNIT_NAME: RegExp = /^(?:0|[1-9]\d{0,5})\.(?:attn|mlp)$/;

/** How the LM head is written where parts of a model are named; it is no unit, for it cannot be dropped. */
export const HEAD_PART = 'head';

/** `3.attn` */
export function unitName(unit: Unit): string {
  return `${unit.layer}.${unit.block}`;
}

/** `3.attn` → layer 3, attention block; undefined for anything else. */
export function parseUnit(name: string): Unit | undefined {
  if (!UNIT_NAME.test(name)) return undefined;
  const [layer, block] = name.split('.');
  return { layer: Number(layer), block: block === 'attn' ? 'attn' : 'mlp' };
}

/** All prunable units of a model with `numLayers` layers, in the order of scores: `0.attn`, `0.mlp`, `1.attn`, ... */
export function listUnits(numLayers: number): Unit[] {
  return Array.from({ length: numLayers }, (_, layer): Unit[] => [
    { layer, block: 'attn' },
    { layer, block: 'mlp' },
  ]).flat();
}

/** Names of {@linkcode listUnits}. */
export function listUnitNames(numLayers: number): string[] {
  return listUnits(numLayers).map(unitName);
}

/** Block that a layer's tensor belongs to (its name without `model.layers.i.`); a block's norm counts as its own. */
export function blockOfTensor(tensor: string): Unit['block'] {
  return tensor.startsWith('self_attn.') || tensor.startsWith('input_layernorm.') ? 'attn' : 'mlp';
}
