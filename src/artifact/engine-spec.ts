/**
 * The contract between the graph of an artifact and the engine, stored in the manifest. The engine knows input and
 * output names from here only. Letters: B batch, S new tokens, P past (padded), T = P + S, R rows of logits,
 * KV key/value heads, D head size, V vocabulary, N tensors of new rows (2 per written cache slot).
 */
export interface EngineSpec {
  /** File name of the graph inside the artifact. */
  readonly graph: string;
  readonly vocabSize: number;
  readonly maxContextTokens: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly inputs: {
    /** int32 [B, S] */
    readonly inputIds: string;
    /** int32 [B, S] */
    readonly positionIds: string;
    /** float32 [B, S, T]: 0 where a query sees a key, a large negative number where not; past first, new rows last. */
    readonly attentionBias: string;
    /** int32 [R]: rows of the flattened [B*S] whose logits are wanted. */
    readonly outputRows: string;
    /** bool [1]: true runs the draft (dropped units skipped); null when the plan drops nothing. */
    readonly isDraft: string | null;
    /** float32 [B, KV, P, D], one per cache slot. */
    readonly pastKeys: readonly string[];
    readonly pastValues: readonly string[];
  };
  readonly outputs: {
    /** float32 [R, V]; of a draft run with a reduced vocabulary [R, V'] */
    readonly logits: string;
    /** float32 [B, KV, N*S, D]: k then v of each written slot, in slot order, along axis 2. */
    readonly newKeyValues: string;
  };
  /** Cache slots (indices into pastKeys) that a draft step writes; a target step writes all. */
  readonly draftSlots: readonly number[];
  /** [V'] tokens of a draft run's logits, ids ascending. Absent: all. */
  readonly draftVocabulary?: readonly number[];
}
