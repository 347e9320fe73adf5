import { SdfpError } from '../lib/errors.ts';
import { FAMILIES, FAMILY_NAMES, type FamilyFacts, isFamily } from './families.ts';
import { jsonObject } from './fields.ts';
import { parse } from './parse.ts';
import { parseRawConfig, type RawConfig } from './raw-config.ts';
import { refuseUnsupportedKeys, unsupported } from './refuse.ts';
import { readRope } from './rope.ts';
import { refuseSlidingWindow } from './sliding-window.ts';
import type { ModelConfig, ModelFamily } from './types.ts';

const DEFAULT_RMS_NORM_EPS = 1e-6;

/**
 * The checked mathematics of a parsed config.json. Throws `model_unsupported` for a family or a key that we do not
 * implement and `model_unreadable` for values that no model can have.
 */
export function parseConfig(json: unknown): ModelConfig {
  const keys = parse(jsonObject, json, 'config.json');
  const family = readFamily(keys.model_type);
  refuseUnsupportedKeys(keys);
  const raw = parseRawConfig(keys);
  const facts = FAMILIES[family];
  refuseOtherArchitecture(raw, facts);
  refuseOtherActivation(raw);
  const maxPositions = raw.max_position_embeddings ?? facts.maxPositions;
  refuseSlidingWindow(raw, facts, maxPositions);
  return {
    family,
    numLayers: raw.num_hidden_layers,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    ...readHeads(raw, facts),
    vocabSize: raw.vocab_size,
    maxPositions,
    rmsNormEps: raw.rms_norm_eps ?? DEFAULT_RMS_NORM_EPS,
    rope: readRope(raw, maxPositions),
    tiedEmbeddings: raw.tie_word_embeddings ?? false,
    ...readBiases(raw, facts),
    qkNorm: facts.qkNorm,
  };
}

function readFamily(modelType: unknown): ModelFamily {
  if (typeof modelType === 'string' && isFamily(modelType)) return modelType;
  if (typeof modelType !== 'string') {
    throw new SdfpError('model_unreadable', 'Cannot read config.json: it names no model_type.', {
      param: 'model_type',
    });
  }
  throw unsupported('model_type', modelType, `it must be one of ${FAMILY_NAMES.join(', ')}`);
}

/** A classifier or an embedding model of the family has other weights, or attends in both directions. */
function refuseOtherArchitecture(raw: RawConfig, facts: FamilyFacts): void {
  const named = raw.architectures ?? [];
  // The first conversions of Llama wrote LLaMAForCausalLM.
  const isKnown = (name: string) => name.toLowerCase() === facts.architecture.toLowerCase();
  if (named.length > 0 && !named.some(isKnown)) {
    throw unsupported('architectures', named, `it must name ${facts.architecture}`);
  }
}

function refuseOtherActivation(raw: RawConfig): void {
  const activation = raw.hidden_act ?? 'silu';
  // transformers knows the same function under both names.
  if (activation !== 'silu' && activation !== 'swish') {
    throw unsupported('hidden_act', activation, 'it must be silu');
  }
}

function readHeads(
  raw: RawConfig,
  facts: FamilyFacts,
): Pick<ModelConfig, 'numHeads' | 'numKvHeads' | 'headDim'> {
  const numHeads = raw.num_attention_heads;
  // An explicit null means one KV head per query head in every family; absence means the family's default.
  const absent = raw.num_key_value_heads === null ? undefined : facts.numKvHeads;
  const numKvHeads = raw.num_key_value_heads ?? absent ?? numHeads;
  if (numHeads % numKvHeads !== 0) {
    throw contradiction(
      'num_key_value_heads',
      `num_attention_heads ${numHeads} is no multiple of ${numKvHeads}`,
    );
  }
  const headDim = readHeadDim(raw, facts);
  if (headDim % 2 !== 0) {
    throw contradiction('head_dim', `rotary embeddings need an even head size, found ${headDim}`);
  }
  return { numHeads, numKvHeads, headDim };
}

function readHeadDim(raw: RawConfig, facts: FamilyFacts): number {
  const given = raw.head_dim === undefined ? facts.headDim : raw.head_dim;
  if (given != null) return given;
  const headDim = raw.hidden_size / raw.num_attention_heads;
  if (Number.isInteger(headDim)) return headDim;
  throw contradiction(
    'head_dim',
    `it is absent and hidden_size ${raw.hidden_size} is no multiple of num_attention_heads ${raw.num_attention_heads}`,
  );
}

function contradiction(key: string, found: string): SdfpError {
  return new SdfpError('model_unreadable', `Cannot read config.json: ${key}: ${found}.`, { param: key });
}

function readBiases(
  raw: RawConfig,
  facts: FamilyFacts,
): Pick<ModelConfig, 'qkvBias' | 'outputBias' | 'mlpBias'> {
  const attentionBias = facts.qkvBias === 'attention_bias' && raw.attention_bias === true;
  return {
    qkvBias: facts.qkvBias === 'always' || attentionBias,
    outputBias: attentionBias,
    mlpBias: facts.hasMlpBias && raw.mlp_bias === true,
  };
}
