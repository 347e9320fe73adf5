import type { ModelConfig } from './types.ts';

/** Names of the tensors outside the layers, as in the checkpoint. */
export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';
/** Absent from a tied model, whose head is the embedding. */
export const HEAD = 'lm_head.weight';

type Projection = 'self_attn.q_proj' | 'self_attn.k_proj' | 'self_attn.v_proj' | 'self_attn.o_proj';
type MlpProjection = 'mlp.gate_proj' | 'mlp.up_proj' | 'mlp.down_proj';

/** Tensors of one layer, named as in the checkpoint without `model.layers.i.`. */
export type LayerTensor =
  | `${Projection | MlpProjection}.${'weight' | 'bias'}`
  | `self_attn.${'q_norm' | 'k_norm'}.weight`
  | `${'input_layernorm' | 'post_attention_layernorm'}.weight`;

/** Checkpoint name of a layer's tensor. */
export function layerTensorName<T extends LayerTensor>(
  layer: number,
  tensor: T,
): `model.layers.${number}.${T}` {
  return `model.layers.${layer}.${tensor}`;
}

/** What every layer of `config` consists of: tensor → shape, [out, in] for a projection. */
export function layerTensorShapes(config: ModelConfig): ReadonlyMap<LayerTensor, readonly number[]> {
  const { hiddenSize: e, intermediateSize: f, headDim: d } = config;
  const q = config.numHeads * d;
  const kv = config.numKvHeads * d;
  const shapes = new Map<LayerTensor, readonly number[]>();
  const addLinear = (name: Projection | MlpProjection, rows: number, columns: number, hasBias: boolean) => {
    shapes.set(`${name}.weight`, [rows, columns]);
    if (hasBias) shapes.set(`${name}.bias`, [rows]);
  };
  shapes.set('input_layernorm.weight', [e]);
  addLinear('self_attn.q_proj', q, e, config.qkvBias);
  addLinear('self_attn.k_proj', kv, e, config.qkvBias);
  addLinear('self_attn.v_proj', kv, e, config.qkvBias);
  if (config.qkNorm) {
    shapes.set('self_attn.q_norm.weight', [d]);
    shapes.set('self_attn.k_norm.weight', [d]);
  }
  addLinear('self_attn.o_proj', e, q, config.outputBias);
  shapes.set('post_attention_layernorm.weight', [e]);
  addLinear('mlp.gate_proj', f, e, config.mlpBias);
  addLinear('mlp.up_proj', f, e, config.mlpBias);
  addLinear('mlp.down_proj', e, f, config.mlpBias);
  return shapes;
}

/** Every tensor that a model of `config` needs: checkpoint name → shape, in the order in which a token meets them. */
export function tensorShapes(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [config.vocabSize, config.hiddenSize]]]);
  const ofLayer = layerTensorShapes(config);
  for (let layer = 0; layer < config.numLayers; layer++) {
    for (const [tensor, shape] of ofLayer) shapes.set(layerTensorName(layer, tensor), shape);
  }
  shapes.set(FINAL_NORM, [config.hiddenSize]);
  if (!config.tiedEmbeddings) shapes.set(HEAD, [config.vocabSize, config.hiddenSize]);
  return shapes;
}
