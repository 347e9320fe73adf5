import * as v from 'valibot';
import { boolean, checkedBy, integer, needs, plainText, shortList, unsupported } from './fields.ts';
import { type GenerationBody, type GenerationOptions, GenerationSchema } from './generation.ts';
import { type AnswerSchema, type ResponseFormatBody, ResponseFormatSchema } from './response-format.ts';

/** Body of POST /v1/completions. */
export interface CompletionBody extends GenerationBody {
  prompt: string | string[] | number[] | number[][];
  max_tokens?: number | null | undefined;
  logprobs?: number | null | undefined;
  echo?: boolean | null | undefined;
  suffix?: unknown;
  best_of?: unknown;
  response_format?: ResponseFormatBody | null | undefined;
}

/** Text, or token ids used as they are. */
export type Prompt = string | readonly number[];

/** A checked text completion request. */
export interface CompletionRequest extends GenerationOptions {
  readonly prompts: readonly Prompt[];
  readonly maxTokens: number;
  /** Undefined: no logprobs. */
  readonly topLogprobs: number | undefined;
  readonly echo: boolean;
  readonly answerSchema: AnswerSchema;
}

const MAX_PROMPTS = 64;

const MAX_TOKEN_ID = 0x7fffffff;

/** Ids above the vocabulary are refused later, by the server that knows its size. */
const tokenId = v.pipe(
  v.number(needs('a token id')),
  v.integer(needs('a token id')),
  v.minValue(0, needs('a token id')),
  v.maxValue(MAX_TOKEN_ID, needs('a token id')),
);

function isTokenId(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_TOKEN_ID;
}

/** The same as a list of `tokenId`, in the time of a plain loop, and up to the first that is none. */
const tokenIds = v.pipe(
  v.custom<number[]>(Array.isArray, needs('a list of token ids')),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const input = dataset.value;
    const key = input.findIndex((value) => !isTokenId(value));
    if (key < 0) return;
    const value = input[key];
    addIssue({
      message: needs('a token id'),
      input: value,
      path: [{ type: 'array', origin: 'value', input, key, value }],
    });
  }),
);

/** Shared with /detokenize. */
export const TokenIdsSchema: v.GenericSchema<number[]> = checkedBy(
  v.array(tokenId, needs('a list of token ids')),
  tokenIds,
);

const KINDS = {
  text: plainText(),
  texts: shortList(
    v.pipe(v.array(plainText()), v.nonEmpty(needs('at least one text'))),
    MAX_PROMPTS,
    'prompts',
  ),
  ids: v.pipe(TokenIdsSchema, v.nonEmpty(needs('at least one token id'))),
  lists: shortList(
    v.pipe(
      v.array(v.pipe(TokenIdsSchema, v.nonEmpty(needs('at least one token id')))),
      v.nonEmpty(needs('at least one list')),
    ),
    MAX_PROMPTS,
    'prompts',
  ),
} as const;

const kinds = v.union(
  [KINDS.text, KINDS.texts, KINDS.ids, KINDS.lists],
  needs('a text, a list of texts, a list of token ids, or a list of such lists'),
);

/** The branch that the first item speaks for. */
function kindOf(input: unknown): v.GenericSchema<unknown, CompletionBody['prompt']> {
  if (!Array.isArray(input)) return kinds;
  const [first] = input;
  if (typeof first === 'number') return KINDS.ids;
  return Array.isArray(first) ? KINDS.lists : KINDS.texts;
}

const prompt = v.pipe(
  checkedBy(kinds, v.lazy(kindOf)),
  v.description('Text, or token ids used as they are; or a list of either, at most 64.'),
);

const fields = v.object({
  prompt,
  max_tokens: integer({
    min: 0,
    max: 1e9,
    description: 'Most tokens of an answer. Default 16. 0 only with `echo`.',
  }),
  logprobs: integer({
    min: 0,
    max: 20,
    description: 'Log probabilities, of as many likely tokens beside each. Default: none.',
  }),
  echo: boolean('The prompt comes before the answer. Default false.'),
  suffix: unsupported('is not supported, needs to be empty', (value) => value === ''),
  best_of: unsupported('is not supported but for 1', (value) => value === 1),
  response_format: ResponseFormatSchema,
});

const completionFields: v.GenericSchema<
  Omit<CompletionBody, keyof GenerationBody>,
  Omit<CompletionRequest, keyof GenerationOptions>
> = v.pipe(
  fields,
  v.forward(
    v.partialCheck(
      [['max_tokens'], ['echo']],
      ({ max_tokens, echo }) => max_tokens !== 0 || echo === true,
      'is 0 without `echo: true`, needs at least 1',
    ),
    ['max_tokens'],
  ),
  v.transform((body) => ({
    prompts: toPrompts(body.prompt),
    maxTokens: body.max_tokens ?? 16,
    topLogprobs: body.logprobs,
    echo: body.echo ?? false,
    answerSchema: body.response_format,
  })),
);

function toPrompts(prompt: CompletionBody['prompt']): Prompt[] {
  if (typeof prompt === 'string') return [prompt];
  const ids = prompt.filter((item) => typeof item === 'number');
  return ids.length > 0 ? [ids] : prompt.filter((item) => typeof item !== 'number');
}

/** POST /v1/completions. */
export const CompletionSchema: v.GenericSchema<CompletionBody, CompletionRequest> = v.intersect([
  GenerationSchema,
  completionFields,
]);
