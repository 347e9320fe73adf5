/** Schemas of answers, for /openapi.json and for tests; the types of `answers.ts` hold them to the truth. */
import * as v from 'valibot';
import type {
  ChatAnswer,
  ChatChunk,
  ChatLogprobs,
  CompletionAnswer,
  CompletionChunk,
  ErrorBody,
  ErrorEnvelope,
  Metrics,
  ModelList,
  ModelObject,
  PlanFacts,
  TextLogprobs,
  TokenFields,
  ToolCall,
  Usage,
} from './answers.ts';
import type { DetokenizeAnswer, TokenizeAnswer } from './tokenize.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const described = <T>(schema: v.GenericSchema<T>, description: string): v.GenericSchema<T> =>
  v.pipe(schema, v.description(description));

export const ErrorBodySchema: v.GenericSchema<ErrorBody> = v.object({
  message: v.string(),
  type: v.string(),
  param: described(v.nullable(v.string()), 'Request field to blame.'),
  code: v.nullable(v.string()),
});

export const ErrorSchema: v.GenericSchema<ErrorEnvelope> = v.object({ error: ErrorBodySchema });

export const UsageSchema: v.GenericSchema<Usage> = v.object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: v.object({
    cached_tokens: described(count, 'Run for an earlier request, and taken over.'),
  }),
  completion_tokens_details: v.object({
    accepted_prediction_tokens: described(count, 'Draft tokens that are part of the answer.'),
    rejected_prediction_tokens: count,
  }),
});

export const MetricsSchema: v.GenericSchema<Metrics> = v.object({
  speculative_decoding: v.object({
    mean_acceptance_length: described(v.number(), '1 + accepted / steps; 1 without steps.'),
    draft_acceptance_rate: described(v.number(), 'Accepted / drafted; 0 without drafts.'),
    num_spec_steps: described(count, 'Rounds that drafted at least one token.'),
    num_draft_tokens: count,
    num_accepted_draft_tokens: count,
  }),
});

const topLogprob = { token: v.string(), logprob: v.number(), bytes: v.array(count) };
const chatLogprobs: v.GenericSchema<ChatLogprobs | null> = v.nullable(
  v.object({
    content: v.array(v.object({ ...topLogprob, top_logprobs: v.array(v.object(topLogprob)) })),
  }),
);
const textLogprobs: v.GenericSchema<TextLogprobs | null> = v.nullable(
  v.object({
    tokens: v.array(v.string()),
    token_logprobs: v.array(v.nullable(v.number())),
    top_logprobs: v.array(v.nullable(v.record(v.string(), v.number()))),
    text_offset: v.array(count),
  }),
);

const tokenFields = {
  token_ids: v.exactOptional(described(v.array(count), 'With `return_token_ids`.')),
  token_origins: v.exactOptional(
    described(v.array(v.picklist(['draft', 'lookup', 'target'])), 'One per token id.'),
  ),
} satisfies Record<keyof TokenFields, unknown>;

const head = {
  id: v.string(),
  created: described(count, 'Seconds since 1970.'),
  model: v.string(),
};
const tail = { usage: UsageSchema, metrics: MetricsSchema };
const chunkTail = {
  usage: v.exactOptional(described(v.nullable(UsageSchema), 'In the last chunk, if asked for.')),
  metrics: v.exactOptional(MetricsSchema),
};
const chatReason = v.picklist(['stop', 'length', 'tool_calls']);

const toolCall: v.GenericSchema<ToolCall> = v.object({
  id: v.string(),
  type: v.literal('function'),
  function: v.object({ name: v.string(), arguments: described(v.string(), 'JSON, as text.') }),
});
const toolCallDelta = v.object({
  index: count,
  id: v.exactOptional(v.string()),
  type: v.exactOptional(v.literal('function')),
  function: v.object({ name: v.exactOptional(v.string()), arguments: v.string() }),
});

export const ChatAnswerSchema: v.GenericSchema<ChatAnswer> = v.object({
  ...head,
  object: v.literal('chat.completion'),
  choices: v.array(
    v.object({
      index: count,
      message: v.object({
        role: v.literal('assistant'),
        content: described(v.nullable(v.string()), 'Null beside tool calls.'),
        refusal: v.null(),
        tool_calls: v.exactOptional(v.array(toolCall)),
      }),
      logprobs: chatLogprobs,
      finish_reason: chatReason,
      ...tokenFields,
    }),
  ),
  ...tail,
});

export const ChatChunkSchema: v.GenericSchema<ChatChunk> = v.object({
  ...head,
  object: v.literal('chat.completion.chunk'),
  choices: v.array(
    v.object({
      index: count,
      delta: v.object({
        role: v.exactOptional(v.literal('assistant')),
        content: v.exactOptional(v.nullable(v.string())),
        tool_calls: v.exactOptional(v.array(toolCallDelta)),
      }),
      logprobs: chatLogprobs,
      finish_reason: v.nullable(chatReason),
      ...tokenFields,
    }),
  ),
  ...chunkTail,
});

const completionChoice = { index: count, text: v.string(), logprobs: textLogprobs, ...tokenFields };

export const CompletionAnswerSchema: v.GenericSchema<CompletionAnswer> = v.object({
  ...head,
  object: v.literal('text_completion'),
  choices: v.array(v.object({ ...completionChoice, finish_reason: v.picklist(['stop', 'length']) })),
  ...tail,
});

export const CompletionChunkSchema: v.GenericSchema<CompletionChunk> = v.object({
  ...head,
  object: v.literal('text_completion'),
  choices: v.array(
    v.object({ ...completionChoice, finish_reason: v.nullable(v.picklist(['stop', 'length'])) }),
  ),
  ...chunkTail,
});

export const ModelSchema: v.GenericSchema<ModelObject> = v.object({
  id: v.string(),
  object: v.literal('model'),
  created: described(count, 'Seconds since 1970.'),
  owned_by: v.string(),
  max_model_len: described(count, 'Context in tokens.'),
});

export const ModelListSchema: v.GenericSchema<ModelList> = v.object({
  object: v.literal('list'),
  data: v.array(ModelSchema),
});

export const TokenizeAnswerSchema: v.GenericSchema<TokenizeAnswer> = v.object({
  tokens: v.array(count),
  count,
  max_model_len: count,
});

export const DetokenizeAnswerSchema: v.GenericSchema<DetokenizeAnswer> = v.object({ prompt: v.string() });

/** `/live` (`status`) and `/health` (the rest). */
export const HealthSchema: v.GenericSchema<{ status?: string; state?: string; model?: string }> = v.object({
  status: v.exactOptional(v.string()),
  state: v.exactOptional(described(v.string(), '`loading`, `ready`, `restarting`, `draining` or `failed`.')),
  model: v.exactOptional(v.string()),
  provider: v.exactOptional(described(v.string(), 'Execution provider of ONNX Runtime.')),
  threads: v.exactOptional(
    described(
      v.nullable(count),
      'Threads of the session; null: as many as ONNX Runtime chooses, or no model yet.',
    ),
  ),
});

const unitNames = (description: string) =>
  described(v.array(v.string()), `${description}, by name as \`3.attn\`.`);
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const planFacts: v.GenericSchema<PlanFacts> = v.object({
  method: described(v.string(), 'How blocks were scored.'),
  units: described(v.array(v.object({ name: v.string(), score: v.number() })), 'All blocks, first to last.'),
  target_precision: described(
    v.picklist(['stored', 'int4']),
    "The model's own weights: as in the checkpoint, or rounded to 4 bits.",
  ),
  vocab_size: described(count, 'Tokens that the model knows.'),
  draft: described(v.nullable(v.string()), 'Name of the draft; null: none is served.'),
  dropped: unitNames('Blocks that it skips'),
  int8: unitNames('Blocks that it computes with weights of 8 bits'),
  int4: unitNames(
    "Blocks that it computes with weights of 4 bits, the model's own and activations of 8 bits where `target_precision` is `int4`",
  ),
  head: described(v.picklist(['shared', 'int8', 'int4']), "Its LM head; `shared`: the model's own."),
  draft_vocab_size: described(
    count,
    'Tokens that it may propose: the most frequent ones where they are fewer than `vocab_size`.',
  ),
  kept_share: described(share, 'Share of the block weights that it keeps.'),
  acceptance_rate: described(v.nullable(share), 'Accepted / drafted tokens as the build measured it.'),
});

/** `/plan`. */
export const PlanSchema: v.GenericSchema<{
  model: string;
  has_draft: boolean;
  inspect: PlanFacts | null;
}> = v.looseObject({
  model: v.string(),
  provider: v.string(),
  max_model_len: count,
  has_draft: v.boolean(),
  has_chat_template: described(v.boolean(), 'Whether `/v1/chat/completions` can answer.'),
  inspect: described(v.nullable(planFacts), 'The draft and the scores it was chosen by; null: not told.'),
});
