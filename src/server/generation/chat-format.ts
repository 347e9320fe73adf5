import type {
  ChatAnswer,
  ChatChoice,
  ChatChunk,
  ChatChunkChoice,
  ChatRequest,
  FinishReason,
  ToolCall,
  ToolCallDelta,
} from '../../api/index.ts';
import { toChatLogprobs } from './chat-logprobs.ts';
import {
  type AnswerFormat,
  type CollectedChoice,
  createHead,
  createId,
  type FormatContext,
  joinText,
  tokenFields,
} from './format.ts';
import type { Choice } from './job.ts';
import type { Finish, Piece } from './pieces.ts';
import { type AnswerPart, createToolCallReader, type ToolCallReader } from './tool-call-reader.ts';

type Delta = ChatChunkChoice['delta'];

/** Answers of /v1/chat/completions. */
export function createChatFormat({ toolUse }: ChatRequest, context: FormatContext): AnswerFormat {
  const head = createHead('chatcmpl', context);
  const { text } = context.model;
  const noUsage = context.includeUsage ? { usage: null } : {};
  const names = toolUse.tools.map((tool) => tool.function.name);
  const openReader = (): ToolCallReader | undefined =>
    names.length === 0 ? undefined : createToolCallReader(text.toolCallForm, names);
  const readers = new Map<number, ToolCallReader | undefined>();
  const chunk = (choices: ChatChunkChoice[]): ChatChunk => ({
    ...head,
    object: 'chat.completion.chunk',
    choices,
    ...noUsage,
  });
  const part = (choice: Choice, pieces: readonly Piece[], delta: Delta, reason: FinishReason | null = null) =>
    chunk([
      {
        index: choice.index,
        delta,
        logprobs: toChatLogprobs(pieces, text),
        finish_reason: reason,
        ...tokenFields(choice, pieces),
      },
    ]);
  /** Tokens and logprobs go with the first of a piece's parts. */
  const parts = (choice: Choice, piece: Piece | undefined, read: readonly AnswerPart[]): ChatChunk[] => {
    const pieces = piece === undefined ? [] : [piece];
    const hasOwn = choice.returnTokenIds || piece?.logprobs !== undefined;
    if (read.length === 0 && hasOwn) return [part(choice, pieces, {})];
    return read.map((each, index) => part(choice, index === 0 ? pieces : [], toDelta(each)));
  };
  return {
    endsWithDone: true,
    opening(choice) {
      readers.set(choice.index, openReader());
      const content = toolUse.mode === 'required' ? null : '';
      return [part(choice, [], { role: 'assistant', content })];
    },
    piece(choice, piece) {
      const reader = readers.get(choice.index);
      if (reader === undefined) return [part(choice, [piece], { content: piece.text })];
      return parts(choice, piece, reader.push(piece.text));
    },
    finish(choice, finish) {
      const reader = readers.get(choice.index);
      const rest = reader === undefined ? [] : reader.flush().map((each) => part(choice, [], toDelta(each)));
      return [...rest, part(choice, [], {}, toReason(finish, reader))];
    },
    closing(usage, metrics) {
      const last: ChatChunk = { ...chunk([]), usage, metrics };
      return context.includeUsage ? [last] : [];
    },
    failure: (error) => ({ error }),
    answer: (choices, usage, metrics): ChatAnswer => ({
      ...head,
      object: 'chat.completion',
      choices: choices.map((collected) => toChoice(collected, context, openReader())),
      usage,
      metrics,
    }),
  };
}

function toChoice(
  { choice, pieces, finish }: CollectedChoice,
  { model }: FormatContext,
  reader: ToolCallReader | undefined,
): ChatChoice {
  const all = joinText(pieces);
  const parts = reader === undefined ? textOnly(all) : [...reader.push(all), ...reader.flush()];
  const calls = collectCalls(parts);
  const content = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const message = { role: 'assistant' as const, refusal: null };
  return {
    index: choice.index,
    message:
      calls.length === 0
        ? { ...message, content }
        : { ...message, content: content === '' ? null : content, tool_calls: calls },
    logprobs: toChatLogprobs(pieces, model.text),
    finish_reason: toReason(finish, reader),
    ...tokenFields(choice, pieces),
  };
}

function textOnly(text: string): readonly AnswerPart[] {
  return [{ type: 'text', text }];
}

/** An answer that is cut ends with `length`, whatever it was. */
function toReason({ reason }: Finish, reader: ToolCallReader | undefined): FinishReason {
  return reason === 'stop' && (reader?.calls ?? 0) > 0 ? 'tool_calls' : reason;
}

function toDelta(part: AnswerPart): Delta {
  return part.type === 'text' ? { content: part.text } : { tool_calls: [toCallDelta(part)] };
}

function toCallDelta(part: Exclude<AnswerPart, { type: 'text' }>): ToolCallDelta {
  const { index } = part;
  if (part.type === 'arguments') return { index, function: { arguments: part.text } };
  return { index, id: createId('call_'), type: 'function', function: { name: part.name, arguments: '' } };
}

function collectCalls(parts: readonly AnswerPart[]): ToolCall[] {
  const calls = parts.filter((part) => part.type === 'call');
  const textOf = (index: number): string =>
    parts.map((part) => (part.type === 'arguments' && part.index === index ? part.text : '')).join('');
  return calls.map(({ index, name }) => ({
    id: createId('call_'),
    type: 'function',
    function: { name, arguments: textOf(index) },
  }));
}
