import type { ErrorBody, Metrics, Usage } from '../../api/index.ts';
import type { ServedModel } from '../model-host.ts';
import type { Choice } from './job.ts';
import type { Finish, Piece } from './pieces.ts';

/** One complete answer. */
export interface CollectedChoice {
  readonly choice: Choice;
  readonly pieces: readonly Piece[];
  readonly finish: Finish;
}

/** How an API family writes the answer to one request: a stream's chunks as lists, or all at once. Sent as JSON. */
export interface AnswerFormat {
  /** Before the first text of an answer. */
  opening(choice: Choice): readonly object[];
  piece(choice: Choice, piece: Piece): readonly object[];
  finish(choice: Choice, finish: Finish): readonly object[];
  /** After the last answer. */
  closing(usage: Usage, metrics: Metrics): readonly object[];
  /** Instead of what is left, when the answer fails. */
  failure(error: ErrorBody): object;
  answer(choices: readonly CollectedChoice[], usage: Usage, metrics: Metrics): object;
  /** Value of the `event:` field of a chunk, where the family names its events. */
  eventName?(chunk: object): string;
  /** Whether `[DONE]` ends the stream. */
  readonly endsWithDone: boolean;
}

/** What a format knows of the request. */
export interface FormatContext {
  readonly model: ServedModel;
  /** Whether chunks carry `usage: null` until the last one has it, as OpenAI's do. */
  readonly includeUsage: boolean;
}

export type CreateFormat = (context: FormatContext) => AnswerFormat;

/** Seconds since 1970. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** `prefix` and 32 random hexadecimal digits. */
export function createId(prefix: string): string {
  return `${prefix}${crypto.randomUUID().replaceAll('-', '')}`;
}

/** Head of every answer and chunk of one request. */
export function createHead(
  prefix: string,
  { model }: FormatContext,
): { id: string; created: number; model: string } {
  return { id: createId(`${prefix}-`), created: nowSeconds(), model: model.id };
}

/** `token_ids` and `token_origins`, if the caller asked for them. */
export function tokenFields(choice: Choice, pieces: readonly Piece[]): object {
  if (!choice.returnTokenIds) return {};
  return {
    token_ids: pieces.flatMap((piece) => piece.ids),
    token_origins: pieces.flatMap((piece) => piece.origins),
  };
}

export function joinText(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join('');
}
