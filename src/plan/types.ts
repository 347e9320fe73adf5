/** A prunable unit: the attention or the MLP block of a layer. Written `3.attn`, `7.mlp`. */
export interface Unit {
  readonly layer: number;
  readonly block: 'attn' | 'mlp';
}

/** Units that the draft skips. */
export interface DraftPlan {
  readonly dropped: readonly Unit[];
}
