import type { ModelFamily } from './types.ts';

/** What a family's config class in transformers (5.x) assumes where config.json is silent, and what its layers contain. */
export interface FamilyFacts {
  readonly maxPositions: number;
  /** `undefined`: hidden_size / num_attention_heads. */
  readonly headDim: number | undefined;
  /** `undefined`: num_attention_heads. */
  readonly numKvHeads: number | undefined;
  /** Tokens; `undefined`: full attention. */
  readonly slidingWindow: number | undefined;
  /** Whether the window counts only with `use_sliding_window: true`, and only from layer `max_window_layers` on. */
  readonly slidingWindowIsOptIn: boolean;
  /** Bias of q, k, v: always, never, or as `attention_bias` says (the output projection's then too). */
  readonly qkvBias: 'always' | 'never' | 'attention_bias';
  /** Whether `mlp_bias` is read. */
  readonly hasMlpBias: boolean;
  /** RMS norms on the heads of q and k. */
  readonly qkNorm: boolean;
  /** The only entry of `architectures` that is this family's language model. */
  readonly architecture: string;
}

export const FAMILIES: Readonly<Record<ModelFamily, FamilyFacts>> = {
  llama: {
    maxPositions: 2048,
    headDim: undefined,
    numKvHeads: undefined,
    slidingWindow: undefined,
    slidingWindowIsOptIn: false,
    qkvBias: 'attention_bias',
    hasMlpBias: true,
    qkNorm: false,
    architecture: 'LlamaForCausalLM',
  },
  mistral: {
    maxPositions: 131072,
    headDim: undefined,
    numKvHeads: 8,
    slidingWindow: 4096,
    slidingWindowIsOptIn: false,
    qkvBias: 'never',
    hasMlpBias: false,
    qkNorm: false,
    architecture: 'MistralForCausalLM',
  },
  qwen2: {
    maxPositions: 32768,
    headDim: undefined,
    numKvHeads: 32,
    slidingWindow: 4096,
    slidingWindowIsOptIn: true,
    qkvBias: 'always',
    hasMlpBias: false,
    qkNorm: false,
    architecture: 'Qwen2ForCausalLM',
  },
  qwen3: {
    maxPositions: 32768,
    headDim: 128,
    numKvHeads: 32,
    slidingWindow: 4096,
    slidingWindowIsOptIn: true,
    qkvBias: 'attention_bias',
    hasMlpBias: false,
    qkNorm: true,
    architecture: 'Qwen3ForCausalLM',
  },
};

export const FAMILY_NAMES: readonly string[] = Object.keys(FAMILIES);

export function isFamily(modelType: string): modelType is ModelFamily {
  return Object.hasOwn(FAMILIES, modelType);
}
