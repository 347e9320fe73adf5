import { Template } from '@huggingface/jinja';
import { messageOf, SdfpError } from '../lib/errors.ts';
import { asList, asRecord, asString, asTokenText } from './json.ts';
import { strftime } from './strftime.ts';
import { detectToolCallForm, type ToolCallForm } from './tool-calls.ts';
import type { ChatMessage } from './types.ts';

/** Keys of tokenizer_config.json that templates see as variables, as transformers' `special_tokens_map`. */
const SPECIAL_TOKENS = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
];

/**
 * Put before every template, since the library's own functions cannot be replaced from outside: its `strftime_now` prints
 * month names in the machine's language, and an error from its `raise_exception` looks like any other.
 */
const PRELUDE = '{% set strftime_now = sdfp_strftime_now %}{% set raise_exception = sdfp_raise_exception %}';

export interface ChatOptions {
  readonly addGenerationPrompt: boolean;
  readonly tools: readonly unknown[];
  /** What `strftime_now` takes as the present. */
  readonly now: Date;
}

/** The chat templates of a model by name; mostly there is one, `default`, and some have `tool_use` beside it. */
export interface ChatTemplates {
  readonly isEmpty: boolean;
  readonly toolCallForm: ToolCallForm;
  render(messages: readonly ChatMessage[], options: ChatOptions): string;
}

/** `templateFile`: contents of chat_template.jinja, which wins over the key in tokenizer_config.json. */
export function parseChatTemplates(
  config: Readonly<Record<string, unknown>>,
  templateFile: string | undefined,
): ChatTemplates {
  const templates = new Map<string, Template>();
  const sources = readSources(config, templateFile);
  for (const [name, source] of sources) templates.set(name, compile(name, source));
  const variables = specialTokenVariables(config);
  return {
    isEmpty: !templates.has('default'),
    toolCallForm: detectToolCallForm([...sources.values()]),
    render(messages, options) {
      // As in transformers: tool_use only where there are tools.
      const withTools = options.tools.length > 0 ? templates.get('tool_use') : undefined;
      const template = withTools ?? templates.get('default');
      if (template === undefined) throw noTemplate();
      return render(template, variables, messages, options);
    },
  };
}

function readSources(
  config: Readonly<Record<string, unknown>>,
  templateFile: string | undefined,
): ReadonlyMap<string, string> {
  const key = templateFile ?? config.chat_template;
  if (typeof key === 'string') return new Map([['default', key]]);
  const sources = new Map<string, string>();
  for (const entry of asList(key).map(asRecord)) {
    const [name, source] = [asString(entry?.name), asString(entry?.template)];
    if (name !== undefined && source !== undefined) sources.set(name, source);
  }
  return sources;
}

function compile(name: string, source: string): Template {
  try {
    const template = new Template(source);
    // Joined after parsing: a template may begin with a line end that counts.
    template.parsed.body.unshift(...new Template(PRELUDE).parsed.body);
    return template;
  } catch (cause) {
    throw new SdfpError(
      'model_unreadable',
      `Cannot parse the chat template "${name}": ${messageOf(cause)}. Mend it, or remove it to use the model without chat.`,
      { param: 'chat_template', cause },
    );
  }
}

function specialTokenVariables(config: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const pairs = SPECIAL_TOKENS.map((key) => [key, asTokenText(config[key])] as const);
  // A token that is null stays undefined, so that a template's `is defined` holds as in transformers.
  return Object.fromEntries(pairs.flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])));
}

function render(
  template: Template,
  variables: Readonly<Record<string, string>>,
  messages: readonly ChatMessage[],
  options: ChatOptions,
): string {
  try {
    return template.render({
      ...variables,
      messages,
      // transformers passes None, which templates can tell from a variable that is not defined.
      tools: options.tools.length > 0 ? options.tools : null,
      documents: null,
      add_generation_prompt: options.addGenerationPrompt,
      sdfp_strftime_now: (format: string) => strftime(options.now, format),
      sdfp_raise_exception: (message: unknown) => {
        throw refused(`the model's chat template says: ${message}`);
      },
    });
  } catch (cause) {
    throw cause instanceof SdfpError
      ? cause
      : refused(`the model's chat template failed: ${messageOf(cause)}`, cause);
  }
}

function refused(found: string, cause?: unknown): SdfpError {
  return new SdfpError('invalid_request', `Cannot use this conversation: ${found}.`, {
    param: 'messages',
    cause,
  });
}

function noTemplate(): SdfpError {
  return new SdfpError(
    'invalid_request',
    'Cannot render a conversation: this model has no chat template; use a plain prompt (/v1/completions).',
    { param: 'messages' },
  );
}
