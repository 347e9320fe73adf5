/** `draft` skips the units that the plan drops; `target` runs the whole model. */
export type StepMode = 'target' | 'draft';

/** K and V of a sequence's positions, copied: an array [KV, length, D] per slot. */
export interface KvSnapshot {
  readonly length: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

/**
 * One sequence inside a model: its KV cache and the only way to extend it. Verified positions are written by target
 * steps; a draft reads them and writes its own rows behind them, which the next target step overwrites after a trim.
 */
export interface ModelSequence {
  /** Positions in the cache. */
  readonly length: number;
  /**
   * Appends `ids` at `length` and returns the logits of the last `outputRows` of them, [outputRows, V] row by row.
   * The array is valid until the next call on any sequence of the model.
   */
  forward(ids: readonly number[], outputRows: number, mode: StepMode): Float32Array;
  /** Keeps the first `toLength` positions. Absolute, so that doing it twice is harmless. */
  trim(toLength: number): void;
  /** Of a snapshot of it. */
  readonly bytes: number;
  /** A copy of all positions, for other sequences of the model. */
  snapshot(): KvSnapshot;
  /** Takes the first `length` positions of a snapshot; the sequence must be empty. */
  restore(snapshot: KvSnapshot, length: number): void;
  /** Gives the buffers back. */
  dispose(): void;
}

/** A target step of one sequence: what {@linkcode ModelSequence.forward} takes, to be run with others'. */
export interface TargetStep {
  readonly sequence: ModelSequence;
  readonly ids: readonly number[];
  readonly outputRows: number;
}

/** What came of a run. */
export interface SharedRun {
  /** Of each step, as `forward` gives them, valid until the next call on any sequence; undefined: it did not run. */
  readonly logits: readonly (Float32Array | undefined)[];
  /** Tokens that were computed, padding included. */
  readonly tokens: number;
}

/** A loaded model: the engine's only view of the runtime, so that a scripted fake can stand in for it. */
export interface ModelRunner {
  readonly provider: string;
  readonly vocabSize: number;
  readonly maxContextTokens: number;
  /** Whether `draft` steps differ from `target` steps. */
  readonly hasDraft: boolean;
  /** An empty sequence; `tokens`: how many it will have soon. */
  openSequence(tokens?: number): ModelSequence;
  /** Runs the first step, and with it those of the others that can share its run. Where it throws, no step has run. */
  forwardTogether(steps: readonly TargetStep[]): SharedRun;
  dispose(): Promise<void>;
}
