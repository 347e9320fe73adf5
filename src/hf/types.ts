/** Rotary embedding of a model: base and the scaling of its frequencies. */
export interface RopeConfig {
  readonly theta: number;
  readonly scaling:
    | { readonly type: 'default' }
    | { readonly type: 'linear'; readonly factor: number }
    | {
        readonly type: 'llama3';
        readonly factor: number;
        readonly lowFreqFactor: number;
        readonly highFreqFactor: number;
        readonly originalMaxPositions: number;
      };
}

export type ModelFamily = 'llama' | 'mistral' | 'qwen2' | 'qwen3';

/** What the mathematics needs of config.json, checked and named our way. Sizes are element counts. */
export interface ModelConfig {
  readonly family: ModelFamily;
  /** L */
  readonly numLayers: number;
  /** E */
  readonly hiddenSize: number;
  /** F */
  readonly intermediateSize: number;
  /** H */
  readonly numHeads: number;
  /** KV */
  readonly numKvHeads: number;
  /** D */
  readonly headDim: number;
  /** V, padding rows included */
  readonly vocabSize: number;
  /** Longest sequence in tokens. */
  readonly maxPositions: number;
  readonly rmsNormEps: number;
  readonly rope: RopeConfig;
  readonly tiedEmbeddings: boolean;
  /** Biases on q, k, v; and on the attention's output projection. */
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
  /** Biases on the MLP's three projections (llama's `mlp_bias`). */
  readonly mlpBias: boolean;
  /** RMS norms on the heads of q and k (qwen3). */
  readonly qkNorm: boolean;
}

export type StoredDtype = 'F32' | 'F16' | 'BF16';

/** One tensor inside a safetensors file. The bytes stay where they are until somebody reads them. */
export interface TensorRef {
  /** As in the checkpoint, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** File name relative to the model folder. */
  readonly file: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Sampling defaults and end tokens of generation_config.json (config.json where it is silent). */
export interface GenerationDefaults {
  readonly bosTokenId: number | undefined;
  readonly eosTokenIds: readonly number[];
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly repetitionPenalty: number | undefined;
}

/**
 * Weights that the target multiplies by: as the checkpoint stores them, or rounded to 4 bits. All else (embedding, norms,
 * biases, activations) is the same in both.
 */
export type TargetPrecision = 'stored' | 'int4';

/** A Hugging Face model folder, read and checked; weights not loaded. */
export interface ModelFolder {
  /** Absolute path. */
  readonly dir: string;
  readonly config: ModelConfig;
  readonly generation: GenerationDefaults;
  /** Default `stored`; of `int4` the products lie rounded beside the `tensors`, in one file with them. */
  readonly precision?: TargetPrecision;
  /** Every tensor the family needs, by checkpoint name; without those that only rounded products use. */
  readonly tensors: ReadonlyMap<string, TensorRef>;
  /** File names, relative to `dir`, of all that an artifact must carry: weights, index, config, tokenizer, template. */
  readonly files: readonly string[];
}
