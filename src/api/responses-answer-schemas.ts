/** Schemas of /v1/responses' answers, for /openapi.json and for tests. */
import * as v from 'valibot';
import { ErrorBodySchema, MetricsSchema } from './answer-schemas.ts';
import type { TopLogprob } from './answers.ts';
import type { OutputMessage, OutputText, ResponseEvent, ResponseObject } from './responses-answers.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const status = v.picklist(['in_progress', 'completed', 'incomplete']);
const never: v.GenericSchema<never[]> = v.pipe(v.array(v.never()), v.maxLength(0));

const logprobs: v.GenericSchema<TopLogprob[]> = v.array(
  v.object({ token: v.string(), logprob: v.number(), bytes: v.array(count) }),
);

const outputText: v.GenericSchema<OutputText> = v.object({
  type: v.literal('output_text'),
  text: v.string(),
  annotations: never,
  logprobs,
});

const outputMessage: v.GenericSchema<OutputMessage> = v.object({
  id: v.string(),
  type: v.literal('message'),
  status,
  role: v.literal('assistant'),
  content: v.array(outputText),
});

const usage = v.object({
  input_tokens: count,
  input_tokens_details: v.object({ cached_tokens: count }),
  output_tokens: count,
  output_tokens_details: v.object({ reasoning_tokens: count }),
  total_tokens: count,
});

const textFormat = v.variant('type', [
  v.object({ type: v.literal('text') }),
  v.object({ type: v.literal('json_object') }),
  v.object({
    type: v.literal('json_schema'),
    name: v.string(),
    schema: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
  }),
]);

export const ResponseObjectSchema: v.GenericSchema<ResponseObject> = v.object({
  id: v.string(),
  object: v.literal('response'),
  created_at: v.pipe(count, v.description('Seconds since 1970.')),
  status,
  error: v.null(),
  incomplete_details: v.nullable(v.object({ reason: v.literal('max_output_tokens') })),
  instructions: v.nullable(v.string()),
  max_output_tokens: v.nullable(count),
  metadata: v.record(v.string(), v.string()),
  model: v.string(),
  output: v.array(outputMessage),
  parallel_tool_calls: v.boolean(),
  previous_response_id: v.null(),
  store: v.literal(false),
  temperature: v.number(),
  text: v.object({ format: textFormat }),
  tool_choice: v.literal('auto'),
  tools: never,
  top_p: v.number(),
  truncation: v.literal('disabled'),
  usage: v.nullable(usage),
  metrics: v.exactOptional(MetricsSchema),
});

const sequence_number = v.pipe(count, v.description('Counts the events of the stream.'));
const item = { output_index: count, sequence_number };
const place = { item_id: v.string(), content_index: count, ...item };

/** One event of the stream, as in its `data:` line. */
export const ResponseEventSchema: v.GenericSchema<ResponseEvent> = v.union([
  v.object({
    type: v.picklist([
      'response.created',
      'response.in_progress',
      'response.completed',
      'response.incomplete',
    ]),
    response: ResponseObjectSchema,
    sequence_number,
  }),
  v.object({
    type: v.picklist(['response.output_item.added', 'response.output_item.done']),
    item: outputMessage,
    ...item,
  }),
  v.object({
    type: v.picklist(['response.content_part.added', 'response.content_part.done']),
    part: outputText,
    ...place,
  }),
  v.object({ type: v.literal('response.output_text.delta'), delta: v.string(), logprobs, ...place }),
  v.object({ type: v.literal('response.output_text.done'), text: v.string(), logprobs, ...place }),
  v.object({
    type: v.literal('error'),
    code: v.nullable(v.string()),
    message: v.string(),
    param: v.nullable(v.string()),
    error: ErrorBodySchema,
    sequence_number,
  }),
]);
