import * as v from 'valibot';
import type { GenerationDefaults, ModelConfig } from '../hf/types.ts';
import { camelKeys } from './case.ts';
import type { EngineSpec } from './engine-spec.ts';
import { amount, count, described, flag, share, text } from './schema-fields.ts';

const scaling = v.variant('type', [
  v.strictObject({ type: described(v.literal('default'), 'Frequencies as they are') }),
  v.strictObject({
    type: described(v.literal('linear'), 'Positions divided by `factor`'),
    factor: amount('Divisor of the positions', 'ratio'),
  }),
  v.strictObject({
    type: described(
      v.literal('llama3'),
      'Low frequencies divided by `factor`, high ones kept, a ramp between',
    ),
    factor: amount('Divisor of the low frequencies', 'ratio'),
    low_freq_factor: amount('Where low frequencies end', 'ratio of original_max_positions to wavelength'),
    high_freq_factor: amount('Where high frequencies begin', 'ratio of original_max_positions to wavelength'),
    original_max_positions: count('Longest sequence before scaling', 'tokens'),
  }),
]);

/** Facts of the target's architecture. */
export const ModelSchema: v.GenericSchema<unknown, ModelConfig> = v.pipe(
  described(
    v.strictObject({
      family: described(v.picklist(['llama', 'mistral', 'qwen2', 'qwen3']), "config.json's model_type"),
      num_layers: count('L: layers', 'layers'),
      hidden_size: count('E: width of the residual stream', 'elements'),
      intermediate_size: count('F: width inside an MLP block', 'elements'),
      num_heads: count('H: query heads', 'heads'),
      num_kv_heads: count('KV: key/value heads', 'heads'),
      head_dim: count('D: size of a head', 'elements'),
      vocab_size: count('V: rows of the embedding, padding included', 'tokens'),
      max_positions: count('Longest sequence', 'tokens'),
      rms_norm_eps: amount('Added to the mean square before its root', 'squared activation'),
      rope: described(
        v.strictObject({
          theta: amount('Base of the rotary frequencies', 'ratio'),
          scaling: described(scaling, 'How the frequencies are scaled for long sequences'),
        }),
        'Rotary position embedding',
      ),
      tied_embeddings: flag('Whether the LM head is the embedding'),
      qkv_bias: flag('Biases on q, k and v'),
      output_bias: flag("A bias on the attention's output projection"),
      mlp_bias: flag("Biases on the MLP's projections"),
      qk_norm: flag('RMS norms on the heads of q and k'),
    }),
    "Facts of the target's architecture",
  ),
  v.transform((wire) => camelKeys(wire)),
);

/** Null is what generation_config.json does not say. */
export const GenerationSchema: v.GenericSchema<unknown, GenerationDefaults> = v.pipe(
  described(
    v.strictObject({
      bos_token_id: described(
        v.nullable(count('Token id', 'token id')),
        'Begins a text; null: none',
        'token id',
      ),
      eos_token_ids: described(v.array(count('Token id', 'token id')), 'End a text', 'token ids'),
      temperature: described(
        v.nullable(amount('Temperature', 'ratio')),
        'Default of sampling, 0 = greedy; null: unsaid',
        'ratio',
      ),
      top_p: described(
        v.nullable(share('Share of probability')),
        'Default of nucleus sampling; null: unsaid',
        'share, 0..1',
      ),
      top_k: described(
        v.nullable(count('Tokens', 'tokens')),
        'Default of top-k sampling, 0 = off; null: unsaid',
        'tokens',
      ),
      repetition_penalty: described(
        v.nullable(amount('Penalty', 'ratio')),
        'Default penalty of tokens already present, 1 = off; null: unsaid',
        'ratio',
      ),
    }),
    'Sampling defaults and end tokens of generation_config.json',
  ),
  v.transform((wire) => ({
    bosTokenId: wire.bos_token_id ?? undefined,
    eosTokenIds: wire.eos_token_ids,
    temperature: wire.temperature ?? undefined,
    topP: wire.top_p ?? undefined,
    topK: wire.top_k ?? undefined,
    repetitionPenalty: wire.repetition_penalty ?? undefined,
  })),
);

const inputs = v.strictObject({
  input_ids: text('int32 [B, S]: new tokens'),
  position_ids: text('int32 [B, S]: their positions'),
  attention_bias: text(
    'float32 [B, S, T]: 0 where a query sees a key, a large negative number where not; past first',
  ),
  output_rows: text('int32 [R]: rows of the flattened [B*S] whose logits are wanted'),
  is_draft: described(
    v.nullable(text('Input name')),
    'bool [1]: true runs the draft, dropped units skipped; null: there is no draft',
  ),
  past_keys: described(v.array(text('Input name')), 'float32 [B, KV, P, D], one name per cache slot'),
  past_values: described(v.array(text('Input name')), 'float32 [B, KV, P, D], one name per cache slot'),
});

const outputs = v.strictObject({
  logits: text('float32 [R, V]'),
  new_key_values: text('float32 [B, KV, N*S, D]: k then v of each written slot, in slot order, along axis 2'),
});

/** What the engine needs to feed the graph. */
export const EngineSchema: v.GenericSchema<unknown, EngineSpec> = v.pipe(
  described(
    v.strictObject({
      graph: text('File name of the ONNX graph'),
      vocab_size: count('V: width of the logits', 'tokens'),
      max_context_tokens: count('Longest prompt and completion together', 'tokens'),
      num_kv_heads: count('KV: key/value heads of the cache', 'heads'),
      head_dim: count('D: size of a head', 'elements'),
      inputs: described(
        inputs,
        'Names of the inputs. B batch, S new tokens, P past, T = P + S, R rows of logits',
      ),
      outputs: described(outputs, 'Names of the outputs. N: two tensors per written slot'),
      draft_slots: described(
        v.array(count('Index into past_keys', 'cache slots')),
        'Cache slots that a draft step writes; a target step writes all',
        'cache slots',
      ),
    }),
    'Inputs and outputs of the graph',
  ),
  v.transform((wire) => camelKeys(wire)),
);
