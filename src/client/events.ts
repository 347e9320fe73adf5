import type { ChatChunk, ChatChunkChoice, CompletionChunkChoice, ErrorBody } from '../api/answers.ts';
import type { EndEvent, TextEvent, TokenOrigin } from './types.ts';

/** What is read of a streamed chunk of either endpoint; a proxy in between may leave things out. */
export interface WireChunk extends Partial<Pick<ChatChunk, 'usage' | 'metrics'>> {
  readonly error?: Partial<ErrorBody>;
  readonly choices?: readonly Partial<Pick<ChatChunkChoice, 'delta'> & CommonChoice>[];
}
type CommonChoice = Pick<CompletionChunkChoice, 'text' | 'finish_reason' | 'token_ids' | 'token_origins'>;

/** An answer while it grows. */
export type Answer = { -readonly [Key in keyof EndEvent]: EndEvent[Key] } & {
  readonly tokenIds: number[];
  readonly origins: TokenOrigin[];
};

/** Adds a chunk to `answer`; what it has of text and tokens, if any. */
export function addChunk(
  answer: Answer,
  { choices: [choice = {}] = [], usage, metrics }: WireChunk,
): TextEvent | undefined {
  const {
    text = choice.delta?.content ?? '',
    token_ids: tokenIds = [],
    token_origins: origins = [],
  } = choice;
  answer.text += text;
  answer.tokenIds.push(...tokenIds);
  answer.origins.push(...origins);
  answer.finishReason ??= choice.finish_reason;
  answer.usage ??= usage;
  answer.speculation ??= metrics?.speculative_decoding;
  return text || tokenIds.length ? { type: 'text', text, tokenIds, origins } : undefined;
}
