import type {
  CompletionAnswer,
  CompletionChoice,
  CompletionChunk,
  CompletionChunkChoice,
  TextLogprobs,
} from '../../api/index.ts';
import type { TextCodec } from '../../text/types.ts';
import { type AnswerFormat, createHead, type FormatContext, joinText, tokenFields } from './format.ts';
import type { Choice } from './job.ts';
import type { LogprobEntry, Piece } from './pieces.ts';
import { finiteLogprob, tokenLabel } from './token-text.ts';

/** Answers of /v1/completions. */
export function createTextFormat(context: FormatContext): AnswerFormat {
  const head = { ...createHead('cmpl', context), object: 'text_completion' as const };
  const { text } = context.model;
  const noUsage = context.includeUsage ? { usage: null } : {};
  const part = (choice: Choice, pieces: readonly Piece[]): Omit<CompletionChoice, 'finish_reason'> => ({
    index: choice.index,
    text: joinText(pieces),
    logprobs: toLogprobs(pieces, text),
    ...tokenFields(choice, pieces),
  });
  const chunk = (choice: CompletionChunkChoice): CompletionChunk => ({
    ...head,
    choices: [choice],
    ...noUsage,
  });
  return {
    endsWithDone: true,
    opening: () => [],
    piece: (choice, piece) => [chunk({ ...part(choice, [piece]), finish_reason: null })],
    finish: (choice, { reason }) => [chunk({ ...part(choice, []), finish_reason: reason })],
    closing(usage, metrics) {
      const last: CompletionChunk = { ...head, choices: [], usage, metrics };
      return context.includeUsage ? [last] : [];
    },
    failure: (error) => ({ error }),
    answer: (choices, usage, metrics): CompletionAnswer => ({
      ...head,
      choices: choices.map(({ choice, pieces, finish }) => ({
        ...part(choice, pieces),
        finish_reason: finish.reason,
      })),
      usage,
      metrics,
    }),
  };
}

function toLogprobs(pieces: readonly Piece[], text: TextCodec): TextLogprobs | null {
  const entries = pieces.flatMap((piece) => piece.logprobs ?? []);
  if (entries.length === 0) return null;
  return {
    tokens: entries.map(({ id }) => tokenLabel(text, id)),
    token_logprobs: entries.map(({ logprob }) => (logprob === null ? null : finiteLogprob(logprob.logprob))),
    top_logprobs: entries.map((entry) => toTop(entry, text)),
    text_offset: entries.map(({ offset }) => offset),
  };
}

/** The likeliest tokens and, as in OpenAI's answers, the chosen one. */
function toTop({ id, logprob }: LogprobEntry, text: TextCodec): Record<string, number> | null {
  if (logprob === null) return null;
  const all = [...logprob.top, { id, logprob: logprob.logprob }];
  return Object.fromEntries(all.map((token) => [tokenLabel(text, token.id), finiteLogprob(token.logprob)]));
}
