import type * as v from 'valibot';
import * as api from '../../api/index.ts';

/** One route of the API, as people and generators of clients read it. */
export interface Operation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly id: string;
  readonly tag: 'Generation' | 'Models' | 'Tokens' | 'Operation';
  readonly summary: string;
  readonly description?: string;
  /** Names of component schemas. */
  readonly body?: SchemaName;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly needsKey: boolean;
  readonly parameters?: readonly Parameter[];
}

/** As in OpenAPI. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'header';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: { readonly type: 'string'; readonly minLength?: number; readonly pattern?: string };
}

export interface Answer {
  readonly description: string;
  /** Content type to the schema of its body. */
  readonly content?: Readonly<Record<string, SchemaName | 'text'>>;
}

export type SchemaName =
  | `${'Chat' | 'Completion'}${'Request' | 'Answer' | 'Chunk'}`
  | `${'Tokenize' | 'Detokenize'}${'Request' | 'Answer'}`
  | 'ResponsesRequest'
  | 'Response'
  | 'ResponseEvent'
  | 'Model'
  | 'ModelList'
  | 'Health'
  | 'Plan'
  | 'Error';

/** Every schema that requests are checked with, or that answers follow. */
export const SCHEMAS: Readonly<Record<SchemaName, v.GenericSchema>> = {
  ChatRequest: api.ChatSchema,
  ChatAnswer: api.ChatAnswerSchema,
  ChatChunk: api.ChatChunkSchema,
  CompletionRequest: api.CompletionSchema,
  CompletionAnswer: api.CompletionAnswerSchema,
  CompletionChunk: api.CompletionChunkSchema,
  ResponsesRequest: api.ResponsesSchema,
  Response: api.ResponseObjectSchema,
  ResponseEvent: api.ResponseEventSchema,
  TokenizeRequest: api.TokenizeSchema,
  TokenizeAnswer: api.TokenizeAnswerSchema,
  DetokenizeRequest: api.DetokenizeSchema,
  DetokenizeAnswer: api.DetokenizeAnswerSchema,
  Model: api.ModelSchema,
  ModelList: api.ModelListSchema,
  Health: api.HealthSchema,
  Plan: api.PlanSchema,
  Error: api.ErrorSchema,
};

const error = (description: string): Answer => ({ description, content: { 'application/json': 'Error' } });

const UNAUTHORIZED = { 401: error('The key is missing or unknown.') };
const LOADING = {
  500: error('The server failed.'),
  503: error('The model is loading, restarting or shutting down; `Retry-After` says when to try again.'),
  504: error('The time limit is over.'),
};
const BODY = {
  ...UNAUTHORIZED,
  400: error('A field is missing, out of range or not supported; `param` names it.'),
  413: error('The body is too large.'),
  ...LOADING,
};
const BUSY = { 429: error('All places are taken; `Retry-After` says when to try again.') };
const GENERATION = {
  ...BODY,
  ...BUSY,
  404: error('The model is not served here.'),
  204: { description: 'With `Last-Event-ID: end`: the stream is let go.' },
  410: error('The stream to go on with (`Last-Event-ID`) is not held here.'),
};

function generation(
  path: string,
  parts: Pick<Operation, 'id' | 'summary' | 'description'> & Names,
): Operation {
  const { body, answer, chunk, ...rest } = parts;
  const content = { 'application/json': answer, 'text/event-stream': chunk };
  const description = 'The answer; with `stream: true` server-sent events, each with a chunk as `data`.';
  return {
    method: 'post',
    path,
    tag: 'Generation',
    body,
    needsKey: true,
    parameters: [LAST_EVENT_ID],
    answers: { 200: { description, content }, ...GENERATION },
    ...rest,
  };
}

interface Names {
  readonly body: SchemaName;
  readonly answer: SchemaName;
  readonly chunk: SchemaName;
}

const json = (description: string, name: SchemaName): Answer => ({
  description,
  content: { 'application/json': name },
});

const MODEL_ID: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Name of the model, as in the list.',
  schema: { type: 'string', minLength: 1 },
};

const LAST_EVENT_ID: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  description:
    'Makes a stream resumable: 0 with the first request, whose events then come with numbers (`id:`); the number of the last event seen to go on with a stream that broke off, in a request that is otherwise the same (path, body, key and `x-request-id`); `end` to let go of it.',
  schema: { type: 'string', pattern: '^([0-9]{1,9}|end)$' },
};

/** All routes but the pages. */
export const OPERATIONS: readonly Operation[] = [
  generation('/v1/chat/completions', {
    id: 'createChatCompletion',
    summary: 'Answer a conversation',
    body: 'ChatRequest',
    answer: 'ChatAnswer',
    chunk: 'ChatChunk',
  }),
  generation('/v1/completions', {
    id: 'createCompletion',
    summary: 'Continue a text',
    body: 'CompletionRequest',
    answer: 'CompletionAnswer',
    chunk: 'CompletionChunk',
  }),
  generation('/v1/responses', {
    id: 'createResponse',
    summary: 'Answer, in the form of the Responses API',
    body: 'ResponsesRequest',
    answer: 'Response',
    chunk: 'ResponseEvent',
  }),
  {
    method: 'post',
    path: '/tokenize',
    id: 'tokenize',
    tag: 'Tokens',
    summary: 'Turn text or a conversation into token ids',
    body: 'TokenizeRequest',
    needsKey: true,
    answers: { 200: json('The ids.', 'TokenizeAnswer'), ...BODY, ...BUSY },
  },
  {
    method: 'post',
    path: '/detokenize',
    id: 'detokenize',
    tag: 'Tokens',
    summary: 'Turn token ids into text',
    body: 'DetokenizeRequest',
    needsKey: true,
    answers: { 200: json('The text.', 'DetokenizeAnswer'), ...BODY },
  },
  {
    method: 'get',
    path: '/v1/models',
    id: 'listModels',
    tag: 'Models',
    summary: 'List the models',
    needsKey: true,
    answers: { 200: json('The model; none while it loads.', 'ModelList'), ...UNAUTHORIZED },
  },
  {
    method: 'get',
    path: '/v1/models/{id}',
    id: 'getModel',
    tag: 'Models',
    summary: 'Describe a model',
    parameters: [MODEL_ID],
    needsKey: true,
    answers: {
      200: json('The model.', 'Model'),
      ...UNAUTHORIZED,
      404: error('The model is not served here.'),
      ...LOADING,
    },
  },
  {
    method: 'get',
    path: '/plan',
    id: 'getPlan',
    tag: 'Models',
    summary: 'Describe the draft: which blocks it skips, and their scores',
    needsKey: true,
    answers: { 200: json('The plan.', 'Plan'), ...UNAUTHORIZED, ...LOADING },
  },
  {
    method: 'get',
    path: '/live',
    id: 'live',
    tag: 'Operation',
    summary: 'Whether the process runs',
    needsKey: false,
    answers: { 200: { description: 'It runs.', content: { 'application/json': 'Health' } } },
  },
  {
    method: 'get',
    path: '/health',
    id: 'health',
    tag: 'Operation',
    summary: 'Whether the model answers',
    needsKey: false,
    answers: { 200: json('It answers.', 'Health'), 503: json('It does not; `state` says why.', 'Health') },
  },
  {
    method: 'get',
    path: '/ping',
    id: 'ping',
    tag: 'Operation',
    summary: 'The same by status alone',
    needsKey: false,
    answers: {
      200: { description: 'It answers.' },
      204: { description: 'It loads.' },
      503: { description: 'It has failed, or shuts down.' },
    },
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'metrics',
    tag: 'Operation',
    summary: 'Metrics in the text format of Prometheus',
    needsKey: true,
    answers: {
      200: { description: 'Metrics.', content: { 'text/plain': 'text' } },
      ...UNAUTHORIZED,
    },
  },
];
