/** How a model writes a call: `open`, `{"name": ..., <argumentsKey>: {...}}`, `close`. */
export interface ToolCallForm {
  /** Empty: the answer as a whole is the call. */
  readonly open: string;
  readonly close: string;
  readonly argumentsKey: 'arguments' | 'parameters';
}

const TAGGED: ToolCallForm = { open: '<tool_call>', close: '</tool_call>', argumentsKey: 'arguments' };

/**
 * The form that a chat template teaches: tags in those of Hermes and Qwen, bare JSON with `parameters` in Llama 3.1's;
 * bare JSON with `arguments` for templates that teach none.
 */
export function detectToolCallForm(templates: readonly string[]): ToolCallForm {
  if (templates.some((source) => source.includes(TAGGED.open))) return TAGGED;
  const isLlama = templates.some((source) => /"name": function name, "parameters"/.test(source));
  return { open: '', close: '', argumentsKey: isLlama ? 'parameters' : 'arguments' };
}
