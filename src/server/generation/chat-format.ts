import type {
  ChatAnswer,
  ChatChoice,
  ChatChunk,
  ChatChunkChoice,
  ChatLogprobs,
  TopLogprob,
} from '../../api/index.ts';
import type { TextCodec } from '../../text/types.ts';
import {
  type AnswerFormat,
  type CollectedChoice,
  createHead,
  type FormatContext,
  joinText,
  tokenFields,
} from './format.ts';
import type { Choice } from './job.ts';
import type { LogprobEntry, Piece } from './pieces.ts';
import { finiteLogprob, tokenLabel } from './token-text.ts';

/** Answers of /v1/chat/completions. */
export function createChatFormat(context: FormatContext): AnswerFormat {
  const head = createHead('chatcmpl', context);
  const { text } = context.model;
  const noUsage = context.includeUsage ? { usage: null } : {};
  const chunk = (choices: ChatChunkChoice[]): ChatChunk => ({
    ...head,
    object: 'chat.completion.chunk',
    choices,
    ...noUsage,
  });
  const part = (
    choice: Choice,
    pieces: readonly Piece[],
    rest: Omit<ChatChunkChoice, 'index' | 'logprobs'>,
  ) =>
    chunk([
      { index: choice.index, logprobs: toLogprobs(pieces, text), ...rest, ...tokenFields(choice, pieces) },
    ]);
  return {
    opening: (choice) => part(choice, [], { delta: { role: 'assistant', content: '' }, finish_reason: null }),
    piece: (choice, piece) => part(choice, [piece], { delta: { content: piece.text }, finish_reason: null }),
    finish: (choice, { reason }) => part(choice, [], { delta: {}, finish_reason: reason }),
    usage: (usage, metrics): ChatChunk => ({ ...chunk([]), usage, metrics }),
    answer: (choices, usage, metrics): ChatAnswer => ({
      ...head,
      object: 'chat.completion',
      choices: choices.map((collected) => toChoice(collected, text)),
      usage,
      metrics,
    }),
  };
}

function toChoice({ choice, pieces, finish }: CollectedChoice, text: TextCodec): ChatChoice {
  return {
    index: choice.index,
    message: { role: 'assistant', content: joinText(pieces), refusal: null },
    logprobs: toLogprobs(pieces, text),
    finish_reason: finish.reason,
    ...tokenFields(choice, pieces),
  };
}

function toLogprobs(pieces: readonly Piece[], text: TextCodec): ChatLogprobs | null {
  const entries = pieces.flatMap((piece) => piece.logprobs ?? []);
  if (entries.length === 0) return null;
  return { content: entries.map((entry) => toTokenLogprob(entry, text)) };
}

function toTokenLogprob({ id, logprob }: LogprobEntry, text: TextCodec): ChatLogprobs['content'][number] {
  const describe = (token: { readonly id: number; readonly logprob: number }): TopLogprob => ({
    token: tokenLabel(text, token.id),
    logprob: finiteLogprob(token.logprob),
    bytes: [...text.tokenBytes(token.id)],
  });
  const chosen = describe({ id, logprob: logprob?.logprob ?? 0 });
  return { ...chosen, top_logprobs: (logprob?.top ?? []).map(describe) };
}
