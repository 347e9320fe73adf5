import type { ModelConfig } from '../hf/types.ts';
import type { GraphBuilder, Value } from '../onnx/index.ts';
import type { Rounding } from '../quant/index.ts';
import type { RotaryAngles } from './rotary.ts';
import type { Weights } from './weights.ts';

/**
 * What the blocks of one forward pass share. Letters: B batch, S new tokens, P past, T = P + S, E hidden, F MLP,
 * H query heads, KV key/value heads, G = H / KV, D head size, V vocabulary.
 */
export interface ForwardContext {
  readonly g: GraphBuilder;
  readonly config: ModelConfig;
  readonly weights: Weights;
  /** Those of drafts, products rounded; `numTokens`: the LM head alone, with rows for so many tokens. */
  readonly rounded: (rounding: Rounding, numTokens?: number) => Weights;
  readonly rotary: RotaryAngles;
  /** [B, 1, G*S, T] */
  readonly bias: Value;
  /** Runs have one row per sequence, as a draft's steps do; then bias is [B, 1, 1, S, T]. More rows are right, but slow. */
  readonly isNarrow: boolean;
  /** int64 [2], P and S, where there is a past. */
  readonly segments: Value | undefined;
}

/** Keys and values of one cache slot, [B, KV, P or S, D] each. */
export interface KeyValue {
  readonly key: Value;
  readonly value: Value;
}
