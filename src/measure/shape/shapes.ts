/** What a config.json of the shape says; sizes as published with the models. */
type ShapeConfig = Readonly<Record<string, unknown>>;

/** Shapes that `--shape` knows by name: what these models publish in config.json, as far as the sizes go. */
export const SHAPES: Readonly<Record<string, ShapeConfig>> = {
  // https://huggingface.co/HuggingFaceTB/SmolLM2-135M
  'smollm2-135m': {
    model_type: 'llama',
    num_hidden_layers: 30,
    hidden_size: 576,
    intermediate_size: 1536,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    vocab_size: 49152,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    tie_word_embeddings: true,
  },
  // https://huggingface.co/Qwen/Qwen3-0.6B
  'qwen3-0.6b': {
    model_type: 'qwen3',
    num_hidden_layers: 28,
    hidden_size: 1024,
    intermediate_size: 3072,
    num_attention_heads: 16,
    num_key_value_heads: 8,
    head_dim: 128,
    vocab_size: 151936,
    max_position_embeddings: 40960,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    tie_word_embeddings: true,
  },
};
