import * as v from 'valibot';
import type { Message, TextPart } from './chat.ts';
import { type Field, integer, needs, optional, plainText, text, unsupported } from './fields.ts';
import { type GenerationBody, type GenerationOptions, GenerationSchema } from './generation.ts';
import { type AnswerSchema, type JsonSchemaBody, namedSchema } from './response-format.ts';

type Optional<T> = T | null | undefined;

/** One message of a conversation, as an item of `input`. */
export interface InputItemBody {
  type?: 'message' | null | undefined;
  role: 'system' | 'developer' | 'user' | 'assistant';
  content: string | { type: 'input_text' | 'output_text' | TextPart['type']; text: string }[];
}

/** Body of POST /v1/responses. */
export interface ResponsesBody extends GenerationBody {
  input: string | InputItemBody[];
  instructions?: Optional<string>;
  max_output_tokens?: Optional<number>;
  metadata?: Optional<Record<string, string>>;
  text?: Optional<{ format?: Optional<TextFormatBody> }>;
  tools?: unknown;
  tool_choice?: unknown;
  previous_response_id?: unknown;
  background?: unknown;
}

/** `text.format`: as `response_format` of chat, but flat. */
export type TextFormatBody =
  | { type: 'text' }
  | { type: 'json_object' }
  | { type: 'json_schema'; name: string; schema?: Optional<JsonSchemaBody> };

/** A checked request. */
export interface ResponsesRequest extends GenerationOptions {
  readonly messages: readonly Message[];
  readonly instructions: string | undefined;
  readonly maxTokens: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly textFormat: TextFormatBody;
  readonly answerSchema: AnswerSchema;
}

const part = v.object(
  {
    type: v.picklist(['input_text', 'output_text', 'text'], needs('"input_text" or "output_text"')),
    text: plainText(),
  },
  needs('an object {type, text}'),
);

const item: v.GenericSchema<InputItemBody, Message> = v.pipe(
  v.object(
    {
      type: optional(v.literal('message', needs('items of type "message"; nothing else is supported'))),
      role: v.picklist(
        ['system', 'developer', 'user', 'assistant'],
        needs('system, developer, user or assistant'),
      ),
      content: v.union([plainText(), v.array(part)], needs('a text or a list of text parts')),
    },
    needs('an object {role, content}'),
  ),
  v.transform(({ role, content }) => ({
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : content.map((piece) => piece.text).join(''),
  })),
);

const input = v.pipe(
  v.union(
    [plainText(), v.pipe(v.array(item), v.minLength(1, needs('at least one item')))],
    needs('a text or a list of messages'),
  ),
  v.description('What the user says, or the conversation.'),
);

const format: Field<TextFormatBody> = optional(
  v.variant(
    'type',
    [
      v.object({ type: v.literal('text') }),
      v.object({ type: v.literal('json_object') }),
      v.object({ type: v.literal('json_schema'), ...namedSchema }),
    ],
    needs('an object with the type "text", "json_object" or "json_schema"'),
  ),
);

const metadata: Field<Record<string, string>> = optional(
  v.pipe(
    v.record(v.string(), v.string(needs('texts'))),
    v.maxEntries(16, needs('at most 16 entries')),
    v.description('Comes back with the answer.'),
  ),
);

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const fields = v.object({
  input,
  instructions: text('A system message before the input.'),
  max_output_tokens: integer({
    min: 1,
    max: 1e9,
    description: 'Most tokens of the answer. Default: what the context has left.',
  }),
  metadata,
  text: optional(
    v.pipe(
      v.object({ format }, needs('an object')),
      v.description('`format`: as `response_format` of chat.'),
    ),
  ),
  tools: unsupported('tools are called through /v1/chat/completions only, needs none', isEmptyList),
  tool_choice: unsupported(
    'has no tools to choose from, needs "none" or "auto"',
    (value) => value === 'none' || value === 'auto',
  ),
  previous_response_id: unsupported('answers are not stored, needs the whole conversation', () => false),
  background: unsupported('is not supported but for false', (value) => value === false),
});

const responsesFields: v.GenericSchema<
  Omit<ResponsesBody, keyof GenerationBody>,
  Omit<ResponsesRequest, keyof GenerationOptions>
> = v.pipe(fields, v.transform(toRequest));

function toRequest(body: v.InferOutput<typeof fields>): Omit<ResponsesRequest, keyof GenerationOptions> {
  const { instructions } = body;
  const messages: Message[] =
    typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input;
  const first: Message[] = instructions === undefined ? [] : [{ role: 'system', content: instructions }];
  const textFormat = body.text?.format ?? { type: 'text' as const };
  return {
    messages: [...first, ...messages],
    instructions,
    maxTokens: body.max_output_tokens,
    metadata: body.metadata ?? {},
    textFormat,
    answerSchema: toAnswerSchema(textFormat),
  };
}

function toAnswerSchema(textFormat: TextFormatBody): AnswerSchema {
  if (textFormat.type === 'text') return undefined;
  return textFormat.type === 'json_object' ? { type: 'object' } : (textFormat.schema ?? {});
}

/** POST /v1/responses. One answer; the other fields are those of completions. */
export const ResponsesSchema: v.GenericSchema<ResponsesBody, ResponsesRequest> = v.intersect([
  GenerationSchema,
  responsesFields,
]);
