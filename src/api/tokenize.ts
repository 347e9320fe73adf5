import * as v from 'valibot';
import { type Message, type MessageBody, MessagesSchema } from './chat.ts';
import { TokenIdsSchema } from './completions.ts';
import { boolean, optional, text } from './fields.ts';

/** Body of POST /tokenize: one of the two. */
export interface TokenizeBody {
  prompt?: string | null | undefined;
  messages?: MessageBody[] | null | undefined;
  add_special_tokens?: boolean | null | undefined;
  add_generation_prompt?: boolean | null | undefined;
}

export interface TokenizeRequest {
  readonly source: { readonly prompt: string } | { readonly messages: readonly Message[] };
  readonly addSpecialTokens: boolean;
  readonly addGenerationPrompt: boolean;
}

export interface TokenizeAnswer {
  readonly tokens: readonly number[];
  readonly count: number;
  readonly max_model_len: number;
}

const tokenizeFields = v.object({
  prompt: text('Text to turn into tokens.'),
  messages: optional(MessagesSchema),
  add_special_tokens: boolean("With `prompt`: the model's special tokens too. Default true."),
  add_generation_prompt: boolean('With `messages`: up to where the assistant speaks. Default true.'),
});

/** POST /tokenize. */
export const TokenizeSchema: v.GenericSchema<TokenizeBody, TokenizeRequest> = v.pipe(
  tokenizeFields,
  v.forward(
    v.partialCheck(
      [['prompt'], ['messages']],
      ({ prompt, messages }) => (prompt === undefined) !== (messages === undefined),
      'and `messages` are both given or both missing, needs one of them',
    ),
    ['prompt'],
  ),
  v.transform((body) => ({
    source: body.messages === undefined ? { prompt: body.prompt ?? '' } : { messages: body.messages },
    addSpecialTokens: body.add_special_tokens ?? true,
    addGenerationPrompt: body.add_generation_prompt ?? true,
  })),
);

/** Body of POST /detokenize. */
export interface DetokenizeBody {
  tokens: number[];
}

export interface DetokenizeAnswer {
  readonly prompt: string;
}

/** POST /detokenize. */
export const DetokenizeSchema: v.GenericSchema<DetokenizeBody> = v.object({
  tokens: v.pipe(TokenIdsSchema, v.description('Token ids to turn into text.')),
});
