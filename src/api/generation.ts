import * as v from 'valibot';
import {
  boolean,
  type Field,
  integer,
  needs,
  number,
  optional,
  plainText,
  shortList,
  text,
} from './fields.ts';

/** Fields that chat and text completions share, as they are on the wire. Each is described in `GenerationSchema`. */
export interface GenerationBody {
  model?: string | null | undefined;
  stream?: boolean | null | undefined;
  stream_options?: { include_usage?: boolean | null | undefined } | null | undefined;
  temperature?: number | null | undefined;
  top_p?: number | null | undefined;
  top_k?: number | null | undefined;
  min_p?: number | null | undefined;
  repetition_penalty?: number | null | undefined;
  presence_penalty?: number | null | undefined;
  frequency_penalty?: number | null | undefined;
  logit_bias?: Record<string, number> | null | undefined;
  seed?: number | null | undefined;
  stop?: string | string[] | null | undefined;
  n?: number | null | undefined;
  ignore_eos?: boolean | null | undefined;
  return_token_ids?: boolean | null | undefined;
  speculative?: SpeculativeBody | null | undefined;
  user?: string | null | undefined;
}

export interface SpeculativeBody {
  enabled?: boolean | null | undefined;
  draft_tokens?: number | null | undefined;
  verification?: Verification | null | undefined;
}

/** How drafts are verified, see `speculative` in the schema. */
export type Verification = 'coupled' | 'rejection';

/** The same, checked and named our way; undefined where the caller said nothing. */
export interface GenerationOptions {
  readonly model: string | undefined;
  readonly isStream: boolean;
  readonly includeUsage: boolean;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly minP: number | undefined;
  readonly repetitionPenalty: number | undefined;
  readonly presencePenalty: number | undefined;
  readonly frequencyPenalty: number | undefined;
  readonly logitBias: ReadonlyMap<number, number>;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly choices: number;
  readonly ignoreEos: boolean;
  readonly returnTokenIds: boolean;
  readonly speculation: {
    readonly enabled: boolean;
    readonly draftLength: number | undefined;
    readonly verification: Verification;
  };
}

const stop: Field<string | string[]> = optional(
  v.pipe(
    v.union(
      [plainText(), shortList(v.array(plainText(), needs('a list of texts')), 4, 'texts')],
      needs('a text or up to 4 texts'),
    ),
    v.description(
      'Text, or up to 4 texts, at whose first appearance the answer ends; not part of the answer.',
    ),
  ),
);

const logitBias: Field<Record<string, number>> = optional(
  v.pipe(
    v.record(
      v.pipe(v.string(), v.regex(/^\d{1,10}$/, needs('token ids as keys'))),
      v.pipe(
        v.number(needs('numbers')),
        v.minValue(-100, needs('-100 to 100')),
        v.maxValue(100, needs('-100 to 100')),
      ),
      needs('an object of token ids and numbers'),
    ),
    v.description('Token id to amount (-100 to 100) added to its logit.'),
  ),
);

const speculative: Field<SpeculativeBody> = optional(
  v.pipe(
    v.strictObject(
      {
        enabled: boolean(
          'Whether tokens are guessed by a draft or looked up in the text. Default true. The text is the same either way.',
        ),
        draft_tokens: integer({
          min: 0,
          max: 16,
          description:
            'Draft length of every round, in tokens (0: none; fewer where a model without a draft finds nothing in the text). Default: chosen per round.',
        }),
        verification: optional(
          v.pipe(
            v.picklist(['coupled', 'rejection'], needs('`coupled` or `rejection`')),
            v.description(
              '`coupled`: target and draft share their noise, a seed gives the same text with speculation and without. `rejection`: by probabilities (Leviathan et al. 2023); the same distribution, another text. Default `coupled`.',
            ),
          ),
        ),
      },
      // An own field of ours: a setting that is misspelt or another server's would do nothing.
      (issue) =>
        issue.expected === 'never'
          ? 'is no setting, needs `enabled`, `draft_tokens` or `verification`'
          : needs('an object')(issue),
    ),
    v.description('Speculative decoding of this request.'),
  ),
);

const streamOptions: Field<{ include_usage?: boolean | null | undefined }> = optional(
  v.pipe(
    v.object(
      { include_usage: boolean('One more chunk at the end with usage and metrics. Default false.') },
      needs('an object'),
    ),
    v.description('Only with `stream`.'),
  ),
);

const fields = v.object({
  model: text('Name of the model, as in /v1/models. Default: the one that is served.'),
  stream: boolean('Server-sent events instead of one JSON answer. Default false.'),
  stream_options: streamOptions,
  temperature: number({
    min: 0,
    max: 2,
    description:
      "0: always the likeliest token; the model's own top_k, top_p and repetition_penalty are then left out. Default: the model's, else 1.",
  }),
  top_p: number({ min: 0, max: 1, description: "Nucleus sampling; 1: off. Default: the model's, else 1." }),
  top_k: integer({
    min: -1,
    max: 1e9,
    description: "Only the k likeliest tokens; 0 and -1: off. Default: the model's, else off.",
  }),
  min_p: number({
    min: 0,
    max: 1,
    description: 'Only tokens with at least this share of the likeliest one; 0: off. Default 0.',
  }),
  repetition_penalty: number({
    min: 0.01,
    max: 100,
    description: "Over prompt and answer; 1: off. Default: the model's, else 1.",
  }),
  presence_penalty: number({
    min: -2,
    max: 2,
    description: 'Taken from the logit of every token that the answer has. Default 0.',
  }),
  frequency_penalty: number({
    min: -2,
    max: 2,
    description: 'The same, times how often the answer has it. Default 0.',
  }),
  logit_bias: logitBias,
  seed: integer({
    min: -(2 ** 63),
    max: 2 ** 64,
    description: 'The same seed gives the same text. Default: another one each time.',
  }),
  stop,
  n: integer({ min: 1, max: 16, description: 'Answers per prompt. Default 1.' }),
  ignore_eos: boolean('Goes on past the end token, up to the token limit. Default false.'),
  return_token_ids: boolean(
    'Token ids and origins (`draft`, `lookup` or `target`) in each choice. Default false.',
  ),
  speculative,
  user: text('Ignored.'),
});

/** Fields that chat and text completions share. */
export const GenerationSchema: v.GenericSchema<GenerationBody, GenerationOptions> = v.pipe(
  fields,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || dataset.value.stream_options === undefined || dataset.value.stream === true) return;
    const path = objectPath(dataset.value, 'stream_options');
    addIssue({ message: 'is given without `stream: true`, needs both', path: [path] });
  }),
  v.transform(toOptions),
);

/** Path item of a field, for checks that look at several fields. */
export function objectPath(input: object, key: string): v.ObjectPathItem {
  return { type: 'object', origin: 'value', input: { ...input }, key, value: undefined };
}

function toOptions(body: v.InferOutput<typeof fields>): GenerationOptions {
  return {
    model: body.model,
    isStream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k === -1 ? 0 : body.top_k,
    minP: body.min_p,
    repetitionPenalty: body.repetition_penalty,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    logitBias: new Map(Object.entries(body.logit_bias ?? {}).map(([id, amount]) => [Number(id), amount])),
    seed: body.seed,
    stop: [body.stop ?? []].flat().filter((word) => word !== ''),
    choices: body.n ?? 1,
    ignoreEos: body.ignore_eos ?? false,
    returnTokenIds: body.return_token_ids ?? false,
    speculation: {
      enabled: body.speculative?.enabled ?? true,
      draftLength: body.speculative?.draft_tokens ?? undefined,
      verification: body.speculative?.verification ?? 'coupled',
    },
  };
}
