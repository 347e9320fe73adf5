import * as v from 'valibot';
import { count, positive } from './fields.ts';
import { parse } from './parse.ts';
import type { RawConfig } from './raw-config.ts';
import { refuseUnsupportedKeys, unsupported } from './refuse.ts';
import type { RopeConfig } from './types.ts';

/** Base that every supported family has where config.json names none. */
const DEFAULT_THETA = 10000;

// The same keys occur in `rope_scaling` and in `rope_parameters`; `type` is the older name of `rope_type`.
const TypeSchema = v.object({ rope_type: v.nullish(v.string()), type: v.nullish(v.string()) });
const ThetaSchema = v.object({ rope_theta: v.nullish(positive) });
const LinearSchema = v.object({ factor: positive });
const Llama3Schema = v.object({
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: v.nullish(count),
});

/**
 * Rotary embedding from `rope_parameters` (transformers 5) or `rope_scaling` and `rope_theta` (before). Where both
 * are given, a filled `rope_scaling` wins and `rope_theta` inside either wins over the one outside, as in transformers 5.
 */
export function readRope(config: RawConfig, maxPositions: number): RopeConfig {
  const hasScaling = config.rope_scaling != null && Object.keys(config.rope_scaling).length > 0;
  const key = hasScaling ? 'rope_scaling' : 'rope_parameters';
  const fields = config[key] ?? {};
  const scaling = readScaling(key, fields, maxPositions);
  // After the type, so that longrope with its lists of factors is refused by its name.
  refuseNestedFields(key, fields);
  refuseUnsupportedKeys(fields);
  const { rope_theta: theta } = parse(ThetaSchema, fields, `${key} of config.json`);
  return { theta: theta ?? config.rope_theta ?? DEFAULT_THETA, scaling };
}

function readScaling(
  key: string,
  fields: Readonly<Record<string, unknown>>,
  maxPositions: number,
): RopeConfig['scaling'] {
  const named = parse(TypeSchema, fields, `${key} of config.json`);
  const type = named.rope_type ?? named.type ?? 'default';
  if (type === 'default') return { type };
  if (type === 'linear') {
    return { type, factor: parse(LinearSchema, fields, `${key} of config.json`).factor };
  }
  if (type === 'llama3') return readLlama3(key, fields, maxPositions);
  throw unsupported(`${key}.rope_type`, type, 'supported types are default, linear and llama3');
}

function readLlama3(
  key: string,
  fields: Readonly<Record<string, unknown>>,
  maxPositions: number,
): RopeConfig['scaling'] {
  const llama3 = parse(Llama3Schema, fields, `${key} of config.json`);
  if (llama3.high_freq_factor <= llama3.low_freq_factor) {
    throw unsupported(
      `${key}.high_freq_factor`,
      llama3.high_freq_factor,
      `it must be greater than low_freq_factor ${llama3.low_freq_factor}`,
    );
  }
  return {
    type: 'llama3',
    factor: llama3.factor,
    lowFreqFactor: llama3.low_freq_factor,
    highFreqFactor: llama3.high_freq_factor,
    originalMaxPositions: llama3.original_max_position_embeddings ?? maxPositions,
  };
}

/** Gemma 3 gives one set of parameters per kind of layer, Qwen2-VL a list of sections. */
function refuseNestedFields(key: string, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'object' && value !== null) {
      throw unsupported(`${key}.${name}`, value, 'one plain rotary embedding must hold for all layers');
    }
  }
}
