import type { Metrics, Usage } from '../../api/index.ts';
import type { ServedModel } from '../model-host.ts';
import type { Choice } from './job.ts';
import type { Finish, Piece } from './pieces.ts';

/** One complete answer. */
export interface CollectedChoice {
  readonly choice: Choice;
  readonly pieces: readonly Piece[];
  readonly finish: Finish;
}

/** How an API family writes answers; the objects are sent as JSON. */
export interface AnswerFormat {
  /** Chunk before the first text of an answer, where the family has one. */
  opening(choice: Choice): object | undefined;
  piece(choice: Choice, piece: Piece): object;
  finish(choice: Choice, finish: Finish): object;
  usage(usage: Usage, metrics: Metrics): object;
  answer(choices: readonly CollectedChoice[], usage: Usage, metrics: Metrics): object;
}

/** What a format knows of the request. */
export interface FormatContext {
  readonly model: ServedModel;
  /** Whether chunks carry `usage: null` until the last one has it, as OpenAI's do. */
  readonly includeUsage: boolean;
}

export type CreateFormat = (context: FormatContext) => AnswerFormat;

/** Head of every answer and chunk of one request. */
export function createHead(
  prefix: string,
  { model }: FormatContext,
): { id: string; created: number; model: string } {
  const id = `${prefix}-${crypto.randomUUID().replaceAll('-', '')}`;
  return { id, created: Math.floor(Date.now() / 1000), model: model.id };
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
