/** Files that the text side reads beside the weights, where they exist; the first is needed. */
export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
export const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

export const CONFIG_FILE = 'config.json';
export const GENERATION_FILE = 'generation_config.json';

/** Weights of an artifact whose target is rounded: they stand in for the model's own. */
export const TARGET_WEIGHTS_FILE = 'target.int4.safetensors';

/** Every file of a model folder that some reader looks for by name, but for the weights. */
export const SMALL_FILES: readonly string[] = [
  CONFIG_FILE,
  GENERATION_FILE,
  TOKENIZER_FILE,
  TOKENIZER_CONFIG_FILE,
  CHAT_TEMPLATE_FILE,
];
