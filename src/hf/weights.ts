import { SdfpError } from '../lib/errors.ts';
import type { HeaderEntry } from './safetensors.ts';
import { HEAD, tensorShapes } from './tensor-names.ts';
import type { ModelConfig, StoredDtype, TensorRef } from './types.ts';
import { STORED_BYTES } from './widen.ts';

/** Buffers that old checkpoints carry and that every loader recomputes from config.json. */
const RECOMPUTED = /^model\.(layers\.\d+\.self_attn\.)?rotary_emb\.(inv_freq|cos_cached|sin_cached)$/;

/**
 * The tensors that `config` needs out of all that a checkpoint contains, each with its expected shape and a type that
 * we read. A tensor that no model of the family has is refused: it would mean mathematics that config.json does not tell.
 */
export function selectTensors(
  config: ModelConfig,
  entries: ReadonlyMap<string, HeaderEntry>,
): ReadonlyMap<string, TensorRef> {
  const shapes = tensorShapes(config);
  const tensors = new Map<string, TensorRef>();
  for (const [name, shape] of shapes) tensors.set(name, toRef(name, shape, entries.get(name)));
  for (const name of entries.keys()) {
    if (!shapes.has(name) && !isHarmless(name, config)) throw unexpected(name, config);
  }
  return tensors;
}

function toRef(name: string, shape: readonly number[], entry: HeaderEntry | undefined): TensorRef {
  if (entry === undefined) throw missing(name);
  if (entry.shape.length !== shape.length || entry.shape.some((dim, axis) => dim !== shape[axis])) {
    throw new SdfpError(
      'model_unreadable',
      `Cannot use ${entry.file}: tensor ${name} has shape [${entry.shape.join(', ')}]; config.json asks for [${shape.join(', ')}].`,
      { param: name },
    );
  }
  const { dtype } = entry;
  if (!isStoredDtype(dtype)) {
    throw new SdfpError(
      'model_unsupported',
      `Cannot use ${entry.file}: tensor ${name} is stored as ${dtype}; supported are F32, F16 and BF16.`,
      { param: name },
    );
  }
  return { ...entry, dtype };
}

function isStoredDtype(dtype: string): dtype is StoredDtype {
  return Object.hasOwn(STORED_BYTES, dtype);
}

/** A tied model's stored head is a copy of its embedding; {@linkcode readModelFolder} has made sure of that. */
function isHarmless(name: string, config: ModelConfig): boolean {
  return RECOMPUTED.test(name) || (name === HEAD && config.tiedEmbeddings);
}

function missing(name: string): SdfpError {
  const hint = name === HEAD ? ' (a model without it has "tie_word_embeddings": true in config.json)' : '';
  return new SdfpError('model_unreadable', `Cannot use this model: its weights lack tensor ${name}${hint}.`, {
    param: name,
  });
}

function unexpected(name: string, config: ModelConfig): SdfpError {
  return new SdfpError(
    'model_unsupported',
    `Cannot use this model: its weights contain tensor ${name}, which a ${config.family} model with this config.json does not have.`,
    { param: name },
  );
}
