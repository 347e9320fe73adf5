import { describe, expect, test } from 'bun:test';
import { parseConfig } from '../../src/hf/config.ts';
import { isSdfpError } from '../../src/lib/errors.ts';

const SIZES = {
  num_hidden_layers: 2,
  hidden_size: 64,
  intermediate_size: 128,
  num_attention_heads: 4,
  vocab_size: 100,
};
const llama = { model_type: 'llama', ...SIZES };
const mistral = { model_type: 'mistral', ...SIZES, num_key_value_heads: 4, sliding_window: null };
const qwen2 = { model_type: 'qwen2', ...SIZES, num_key_value_heads: 2 };
const qwen3 = { model_type: 'qwen3', ...SIZES, num_key_value_heads: 2 };

function errorOf(config: unknown) {
  try {
    parseConfig(config);
  } catch (error) {
    if (isSdfpError(error)) return error;
    throw error;
  }
  throw new Error('This should have been refused.');
}

describe('parseConfig() takes from transformers what config.json leaves out', () => {
  test('llama', () => {
    expect(parseConfig(llama)).toEqual({
      family: 'llama',
      numLayers: 2,
      hiddenSize: 64,
      intermediateSize: 128,
      numHeads: 4,
      numKvHeads: 4,
      headDim: 16,
      vocabSize: 100,
      maxPositions: 2048,
      rmsNormEps: 1e-6,
      rope: { theta: 10000, scaling: { type: 'default' } },
      tiedEmbeddings: false,
      qkvBias: false,
      outputBias: false,
      mlpBias: false,
      qkNorm: false,
    });
  });

  test.each([
    [
      'llama: biases as it says',
      { ...llama, attention_bias: true, mlp_bias: true },
      { qkvBias: true, outputBias: true, mlpBias: true },
    ],
    [
      'mistral: no biases whatever it says',
      { ...mistral, attention_bias: true },
      { qkvBias: false, outputBias: false },
    ],
    ['mistral: context', mistral, { maxPositions: 131072 }],
    [
      'mistral: 8 KV heads if absent',
      { ...mistral, num_attention_heads: 16, num_key_value_heads: undefined },
      { numKvHeads: 8 },
    ],
    [
      'mistral: as many KV heads as heads if null',
      { ...mistral, num_key_value_heads: null },
      { numKvHeads: 4 },
    ],
    [
      'qwen2: biases on q, k, v only',
      qwen2,
      { qkvBias: true, outputBias: false, qkNorm: false, maxPositions: 32768 },
    ],
    ['qwen3: head size 128 and norms', qwen3, { headDim: 128, qkNorm: true, qkvBias: false }],
    ['qwen3: biases as it says', { ...qwen3, attention_bias: true }, { qkvBias: true, outputBias: true }],
    ['head_dim unlike hidden / heads', { ...llama, head_dim: 24 }, { headDim: 24 }],
    ['head_dim null', { ...llama, head_dim: null }, { headDim: 16 }],
    ['tied embeddings', { ...llama, tie_word_embeddings: true }, { tiedEmbeddings: true }],
    ['silu by its other name', { ...llama, hidden_act: 'swish' }, { family: 'llama' }],
  ])('%s', (_, config, expected) => {
    expect(parseConfig(config)).toMatchObject(expected);
  });
});

describe('parseConfig() reads the rotary embedding', () => {
  const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 };
  const ours = { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 64 };
  test.each([
    ['rope_theta', { rope_theta: 5e5 }, { theta: 5e5, scaling: { type: 'default' } }],
    ['rope_scaling null', { rope_scaling: null }, { theta: 1e4, scaling: { type: 'default' } }],
    [
      'rope_type default',
      { rope_scaling: { rope_type: 'default' } },
      { theta: 1e4, scaling: { type: 'default' } },
    ],
    [
      'linear',
      { rope_scaling: { rope_type: 'linear', factor: 2 } },
      { theta: 1e4, scaling: { type: 'linear', factor: 2 } },
    ],
    [
      'the old key type',
      { rope_scaling: { type: 'linear', factor: 4 } },
      { theta: 1e4, scaling: { type: 'linear', factor: 4 } },
    ],
    [
      'llama3',
      { rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...llama3 } },
      { theta: 5e5, scaling: ours },
    ],
    [
      'rope_parameters',
      { rope_parameters: { rope_theta: 7, rope_type: 'llama3', ...llama3 } },
      { theta: 7, scaling: ours },
    ],
    [
      'rope_theta beside rope_parameters',
      { rope_theta: 9, rope_parameters: { rope_type: 'default' } },
      { theta: 9, scaling: { type: 'default' } },
    ],
    ['a full factor', { partial_rotary_factor: 1 }, { theta: 1e4, scaling: { type: 'default' } }],
  ])('%s', (_, keys, rope) => {
    expect(parseConfig({ ...llama, ...keys }).rope).toEqual(rope as never);
  });

  test('llama3 without the original length means the whole length', () => {
    const { original_max_position_embeddings: _, ...rest } = llama3;
    const config = parseConfig({
      ...llama,
      max_position_embeddings: 512,
      rope_scaling: { rope_type: 'llama3', ...rest },
    });
    expect(config.rope.scaling).toEqual({ ...ours, type: 'llama3', originalMaxPositions: 512 });
  });
});

describe('parseConfig() refuses by name what changes the mathematics', () => {
  test.each([
    ['model_type', { ...llama, model_type: 'gemma3_text' }],
    ['architectures', { ...llama, architectures: ['LlamaForSequenceClassification'] }],
    ['hidden_act', { ...llama, hidden_act: 'gelu' }],
    ['sliding_window', { ...mistral, sliding_window: 4096 }],
    ['sliding_window', { ...mistral, sliding_window: undefined }],
    ['sliding_window', { ...llama, sliding_window: 100 }],
    ['sliding_window', { ...qwen2, use_sliding_window: true, sliding_window: 8, max_window_layers: 1 }],
    ['layer_types', { ...qwen3, layer_types: ['full_attention', 'sliding_attention'], sliding_window: 8 }],
    ['layer_types', { ...qwen3, layer_types: ['full_attention', 'linear_attention'] }],
    ['rope_scaling.rope_type', { ...llama, rope_scaling: { rope_type: 'yarn', factor: 4 } }],
    ['rope_scaling.rope_type', { ...llama, rope_scaling: { type: 'dynamic', factor: 4 } }],
    [
      'rope_scaling.rope_type',
      { ...llama, rope_scaling: { type: 'longrope', long_factor: [1], short_factor: [1] } },
    ],
    ['rope_parameters.full_attention', { ...llama, rope_parameters: { full_attention: { rope_theta: 1 } } }],
    [
      'rope_scaling.mrope_section',
      { ...qwen2, rope_scaling: { rope_type: 'default', mrope_section: [1, 2] } },
    ],
    ['partial_rotary_factor', { ...llama, partial_rotary_factor: 0.5 }],
    ['partial_rotary_factor', { ...llama, rope_parameters: { rope_theta: 1, partial_rotary_factor: 0.5 } }],
    ['quantization_config', { ...llama, quantization_config: { quant_method: 'gptq' } }],
    ['num_local_experts', { ...mistral, num_local_experts: 8 }],
    ['num_experts', { ...qwen3, num_experts: 128 }],
    ['attention_multiplier', { ...llama, attention_multiplier: 0.0078125 }],
    ['logits_scaling', { ...llama, logits_scaling: 8 }],
    ['residual_multiplier', { ...llama, residual_multiplier: 0.22 }],
    ['attn_logit_softcapping', { ...llama, attn_logit_softcapping: 50 }],
    ['final_logit_softcapping', { ...llama, final_logit_softcapping: 30 }],
    ['is_causal', { ...qwen2, is_causal: false }],
    ['use_qk_norm', { ...llama, use_qk_norm: true }],
    ['rope_interleaved', { ...llama, rope_interleaved: true }],
  ])('%s', (key, config) => {
    const error = errorOf(config);
    expect(error).toMatchObject({ code: 'model_unsupported', param: key });
    expect(error.message).toContain(`"${key}"`);
    expect(error.message).toContain('Supported are llama, mistral, qwen2, qwen3');
  });
});

describe('parseConfig() accepts what looks like it but changes nothing', () => {
  test.each([
    ['a window as long as the context', { ...mistral, sliding_window: 4096, max_position_embeddings: 4096 }],
    [
      'a window that is switched off',
      { ...qwen2, use_sliding_window: false, sliding_window: 8, max_window_layers: 0 },
    ],
    [
      'a window that begins behind the last layer',
      { ...qwen2, use_sliding_window: true, sliding_window: 8, max_window_layers: 2 },
    ],
    [
      'full attention by name',
      { ...qwen3, layer_types: ['full_attention', 'full_attention'], sliding_window: null },
    ],
    [
      'neutral values',
      {
        ...llama,
        logits_scaling: 1,
        num_local_experts: 0,
        rope_interleaved: false,
        quantization_config: null,
      },
    ],
    [
      'keys about training, names and types',
      { ...llama, pretraining_tp: 2, attention_dropout: 0.1, torch_dtype: 'bfloat16', use_cache: false },
    ],
    ['the first spelling of LLaMA', { ...llama, architectures: ['LLaMAForCausalLM'] }],
  ])('%s', (_, config) => {
    expect(parseConfig(config).numLayers).toBe(2);
  });
});

describe('parseConfig() finds values that no model can have', () => {
  test.each([
    ['model_type', { ...SIZES }],
    ['hidden_size', { ...llama, hidden_size: undefined }],
    ['hidden_size', { ...llama, hidden_size: -64 }],
    ['num_hidden_layers', { ...llama, num_hidden_layers: 2.5 }],
    ['rms_norm_eps', { ...llama, rms_norm_eps: 0 }],
    ['num_key_value_heads', { ...llama, num_key_value_heads: 3 }],
    ['head_dim', { ...llama, hidden_size: 66 }],
    ['head_dim', { ...llama, head_dim: 15 }],
    ['factor', { ...llama, rope_scaling: { rope_type: 'linear' } }],
    ['low_freq_factor', { ...llama, rope_scaling: { rope_type: 'llama3', factor: 2 } }],
    ['tie_word_embeddings', { ...llama, tie_word_embeddings: 'yes' }],
  ])('%s', (key, config) => {
    const error = errorOf(config);
    expect(error).toMatchObject({ code: 'model_unreadable', param: key });
    expect(error.message).toContain(key);
  });

  test('anything but an object', () => {
    for (const json of [null, [], 'llama', 7]) expect(errorOf(json).code).toBe('model_unreadable');
  });
});
