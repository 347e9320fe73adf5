import * as v from 'valibot';
import { boolean, type Field, integer, needs, optional, plainText } from './fields.ts';
import { type GenerationBody, type GenerationOptions, GenerationSchema, objectPath } from './generation.ts';
import { type AnswerSchema, type ResponseFormatBody, ResponseFormatSchema } from './response-format.ts';
import {
  checkToolChoice,
  type ToolBody,
  type ToolCallBody,
  ToolCallsSchema,
  type ToolChoiceBody,
  ToolChoiceSchema,
  ToolsSchema,
  type ToolUse,
  toToolUse,
} from './tools.ts';

export interface TextPart {
  type: 'text';
  text: string;
}

/** One message of a conversation, as on the wire. */
export interface MessageBody {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | TextPart[] | null | undefined;
  name?: string | null | undefined;
  /** Of the assistant. */
  tool_calls?: ToolCallBody[] | null | undefined;
  /** Of a tool: which call it answers. */
  tool_call_id?: string | null | undefined;
}

/** Body of POST /v1/chat/completions. */
export interface ChatBody extends GenerationBody {
  messages: MessageBody[];
  max_tokens?: number | null | undefined;
  max_completion_tokens?: number | null | undefined;
  logprobs?: boolean | null | undefined;
  top_logprobs?: number | null | undefined;
  tools?: ToolBody[] | null | undefined;
  tool_choice?: ToolChoiceBody | null | undefined;
  parallel_tool_calls?: boolean | null | undefined;
  response_format?: ResponseFormatBody | null | undefined;
}

/** A message with its content flattened to text; `developer` is `system`, which is what chat templates know. */
export type Message = {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly name?: string;
  readonly tool_calls?: readonly MessageToolCall[];
  readonly tool_call_id?: string;
};

/** A call as chat templates read it: the arguments as an object (as text, where they are no JSON). */
export interface MessageToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/** A checked chat request. */
export interface ChatRequest extends GenerationOptions {
  readonly messages: readonly Message[];
  readonly maxTokens: number | undefined;
  /** Undefined: no logprobs. */
  readonly topLogprobs: number | undefined;
  readonly toolUse: ToolUse;
  readonly answerSchema: AnswerSchema;
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
  v.object(
    {
      role,
      content,
      name: optional(plainText()),
      tool_calls: ToolCallsSchema,
      tool_call_id: optional(plainText()),
    },
    needs('an object {role, content}'),
  ),
  v.transform(({ role, content, name, tool_calls, tool_call_id }) => ({
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join(''),
    ...(name === undefined ? {} : { name }),
    ...(tool_calls === undefined ? {} : { tool_calls: tool_calls.map(toTemplateCall) }),
    ...(tool_call_id === undefined ? {} : { tool_call_id }),
  })),
);

/** Templates write arguments themselves (`tojson`), as transformers documents. */
function toTemplateCall(call: ToolCallBody): MessageToolCall {
  const { name, arguments: text } = call.function;
  try {
    return { ...call, function: { name, arguments: JSON.parse(text) } };
  } catch {
    return call;
  }
}

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
  tools: ToolsSchema,
  tool_choice: ToolChoiceSchema,
  parallel_tool_calls: boolean('Ignored: a required answer is one call, others are as the model likes.'),
  response_format: ResponseFormatSchema,
});

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
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const message = checkToolChoice(dataset.value);
    if (message !== undefined) addIssue({ message, path: [objectPath(dataset.value, 'tool_choice')] });
  }),
  v.transform((body) => ({
    messages: body.messages,
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    topLogprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : undefined,
    toolUse: toToolUse(body),
    answerSchema: body.response_format,
  })),
);

/** POST /v1/chat/completions. */
export const ChatSchema: v.GenericSchema<ChatBody, ChatRequest> = v.intersect([GenerationSchema, chatFields]);
