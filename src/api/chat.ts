import * as v from 'valibot';
import { boolean, type Field, integer, needs, optional, plainText, unsupported } from './fields.ts';
import { type GenerationBody, type GenerationOptions, GenerationSchema, objectPath } from './generation.ts';

export interface TextPart {
  type: 'text';
  text: string;
}

/** One message of a conversation, as on the wire. */
export interface MessageBody {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | TextPart[] | null | undefined;
  name?: string | null | undefined;
}

/** Body of POST /v1/chat/completions. */
export interface ChatBody extends GenerationBody {
  messages: MessageBody[];
  max_tokens?: number | null | undefined;
  max_completion_tokens?: number | null | undefined;
  logprobs?: boolean | null | undefined;
  top_logprobs?: number | null | undefined;
  tools?: unknown;
  tool_choice?: unknown;
  response_format?: unknown;
}

/** A message with its content flattened to text; `developer` is `system`, which is what chat templates know. */
export type Message = {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly name?: string;
};

/** A checked chat request. */
export interface ChatRequest extends GenerationOptions {
  readonly messages: readonly Message[];
  readonly maxTokens: number | undefined;
  /** Undefined: no logprobs. */
  readonly topLogprobs: number | undefined;
}

const textPart = v.object(
  { type: v.literal('text', needs('parts of type "text"; nothing else is supported')), text: plainText() },
  needs('an object {type: "text", text}'),
);

const content: Field<string | TextPart[]> = optional(
  v.pipe(
    v.union(
      [plainText(), v.array(textPart, needs('a list of parts'))],
      needs('a text or a list of text parts'),
    ),
    v.description('Text, or a list of parts {type: "text", text}.'),
  ),
);

const role = v.pipe(
  v.picklist(
    ['system', 'developer', 'user', 'assistant', 'tool'],
    needs('system, developer, user, assistant or tool'),
  ),
  v.description('Who speaks.'),
);

const message: v.GenericSchema<MessageBody, Message> = v.pipe(
  v.object({ role, content, name: optional(plainText()) }, needs('an object {role, content}')),
  v.transform(({ role, content, name }) => ({
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join(''),
    ...(name === undefined ? {} : { name }),
  })),
);

/** Shared with /tokenize. */
export const MessagesSchema: v.GenericSchema<MessageBody[], Message[]> = v.pipe(
  v.array(message, needs('a list of messages')),
  v.minLength(1, needs('at least one message')),
  v.description('The conversation.'),
);

const maxTokens = integer({
  min: 1,
  max: 1e9,
  description: 'Most tokens of an answer. Default: what the context has left.',
});

const fields = v.object({
  messages: MessagesSchema,
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  logprobs: boolean('Log probabilities of the answer. Default false.'),
  top_logprobs: integer({
    min: 0,
    max: 20,
    description: 'As many likely tokens beside each; only with `logprobs`.',
  }),
  tools: unsupported('tools cannot be called by this server, needs an empty list or none', (value) =>
    isEmptyList(value),
  ),
  tool_choice: unsupported(
    'has no tools to choose from, needs "none" or "auto"',
    (value) => value === 'none' || value === 'auto',
  ),
  response_format: unsupported('is not supported but for {"type": "text"}', isTextFormat),
});

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isTextFormat(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'text';
}

const chatFields: v.GenericSchema<
  Omit<ChatBody, keyof GenerationBody>,
  Omit<ChatRequest, keyof GenerationOptions>
> = v.pipe(
  fields,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || dataset.value.top_logprobs === undefined || dataset.value.logprobs === true) return;
    const path = objectPath(dataset.value, 'top_logprobs');
    addIssue({ message: 'is given without `logprobs: true`, needs both', path: [path] });
  }),
  v.transform((body) => ({
    messages: body.messages,
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    topLogprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : undefined,
  })),
);

/** POST /v1/chat/completions. */
export const ChatSchema: v.GenericSchema<ChatBody, ChatRequest> = v.intersect([GenerationSchema, chatFields]);
