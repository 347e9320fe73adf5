import { SdfpError } from '../lib/errors.ts';
import { FAMILY_NAMES } from './families.ts';

const SUPPORTED =
  `Supported are ${FAMILY_NAMES.join(', ')} with full attention, silu MLPs, rotary embeddings of type default, linear or ` +
  'llama3 over the whole head, and unquantized F32, F16 or BF16 weights.';

/** A readable config.json that asks for mathematics we do not have. `needed`: which values of `key` are fine. */
export function unsupported(key: string, value: unknown, needed: string): SdfpError {
  const shown = JSON.stringify(value)?.slice(0, 120);
  return new SdfpError(
    'model_unsupported',
    `Cannot use this model: config.json has "${key}": ${shown}; ${needed}. ${SUPPORTED}`,
    { param: key },
  );
}

/**
 * Keys that change what a model computes and that no supported family has, with the values that change nothing.
 * transformers would ignore many of them in these families; a config that carries one was written for other code.
 */
const NEUTRAL_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  quantization_config: [],
  compression_config: [],
  // Mixture of experts
  num_experts: [0],
  num_local_experts: [0],
  n_routed_experts: [0],
  n_shared_experts: [0],
  num_experts_per_tok: [0],
  moe_intermediate_size: [0],
  moe_num_experts: [0],
  // Multipliers (Granite, MiniCPM, Cohere, Falcon-H1)
  attention_multiplier: [],
  residual_multiplier: [1],
  embedding_multiplier: [1],
  lm_head_multiplier: [1],
  key_multiplier: [1],
  logits_scaling: [1],
  logit_scale: [1],
  scale_emb: [1],
  scale_depth: [],
  dim_model_base: [],
  // Other attention
  attn_logit_softcapping: [],
  final_logit_softcapping: [],
  query_pre_attn_scalar: [],
  attention_chunk_size: [],
  attn_temperature_tuning: [false, 0],
  clip_qkv: [],
  alibi: [false],
  is_causal: [true],
  use_bidirectional_attention: [false],
  add_cross_attention: [false],
  is_encoder_decoder: [false],
  // Other rotary embeddings
  partial_rotary_factor: [1],
  rotary_pct: [1],
  rope_interleaved: [false],
  rope_local_base_freq: [],
  no_rope_layer_interval: [0],
  position_embedding_type: ['rope', 'absolute'], // 'absolute' is a default of transformers 4 that means nothing here
  // Other blocks
  use_parallel_residual: [false],
  parallel_attn: [false],
  use_qk_norm: [false],
  qk_layernorm: [false],
  per_layer_config: [],
};

/** Throws `model_unsupported` for the first key that no supported family's mathematics has. */
export function refuseUnsupportedKeys(config: Readonly<Record<string, unknown>>): void {
  for (const [key, neutral] of Object.entries(NEUTRAL_VALUES)) {
    const value = config[key];
    if (value === undefined || value === null || neutral.includes(value)) continue;
    const values = ['absent', 'null', ...neutral.map((entry) => JSON.stringify(entry))];
    throw unsupported(key, value, `it changes the mathematics and is supported only if ${values.join(', ')}`);
  }
}
