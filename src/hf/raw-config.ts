import * as v from 'valibot';
import { count, integer, jsonObject, positive, size } from './fields.ts';
import { parse } from './parse.ts';

type Maybe<T> = T | null | undefined;

/** config.json, both the classic layout and that of transformers 5 (`rope_parameters`, `dtype`); keys that we do not read left out. */
export interface RawConfig {
  readonly num_hidden_layers: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads?: Maybe<number>;
  readonly head_dim?: Maybe<number>;
  readonly vocab_size: number;
  readonly max_position_embeddings?: Maybe<number>;
  readonly rms_norm_eps?: Maybe<number>;
  readonly hidden_act?: Maybe<string>;
  readonly tie_word_embeddings?: Maybe<boolean>;
  readonly attention_bias?: Maybe<boolean>;
  readonly mlp_bias?: Maybe<boolean>;
  readonly rope_theta?: Maybe<number>;
  readonly rope_scaling?: Maybe<Readonly<Record<string, unknown>>>;
  readonly rope_parameters?: Maybe<Readonly<Record<string, unknown>>>;
  /** Tokens; null: none. Absent is not the same as null: see FamilyFacts.slidingWindow. */
  readonly sliding_window?: Maybe<number>;
  readonly use_sliding_window?: Maybe<boolean>;
  readonly max_window_layers?: Maybe<number>;
  readonly layer_types?: Maybe<readonly string[]>;
  readonly architectures?: Maybe<readonly string[]>;
}

const RawConfigSchema = v.object({
  num_hidden_layers: count,
  hidden_size: count,
  intermediate_size: count,
  num_attention_heads: count,
  num_key_value_heads: v.nullish(count),
  head_dim: v.nullish(count),
  vocab_size: count,
  max_position_embeddings: v.nullish(count),
  rms_norm_eps: v.nullish(positive),
  hidden_act: v.nullish(v.string()),
  tie_word_embeddings: v.nullish(v.boolean()),
  attention_bias: v.nullish(v.boolean()),
  mlp_bias: v.nullish(v.boolean()),
  rope_theta: v.nullish(positive),
  rope_scaling: v.nullish(jsonObject),
  rope_parameters: v.nullish(jsonObject),
  sliding_window: v.nullish(integer),
  use_sliding_window: v.nullish(v.boolean()),
  max_window_layers: v.nullish(size),
  layer_types: v.nullish(v.array(v.string())),
  architectures: v.nullish(v.array(v.string())),
});

export function parseRawConfig(json: unknown): RawConfig {
  return parse(RawConfigSchema, json, 'config.json');
}
