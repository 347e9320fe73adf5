import type { Engine, EngineEvent, PromptEvent, TokensEvent } from '../../engine/types.ts';
import { createStopFilter, type StopFilter } from '../../text/stop-strings.ts';
import type { StreamDecoder, TextCodec } from '../../text/types.ts';
import type { RequestScope } from '../scope.ts';
import type { Choice } from './job.ts';
import {
  type ChoiceEvent,
  createPieceBuilder,
  type Finish,
  type Piece,
  type PieceBuilder,
} from './pieces.ts';
import { countRound, createTally, settle, type Tally } from './tally.ts';

/** What generating one answer needs. */
export interface GenerateContext {
  readonly engine: Engine;
  readonly text: TextCodec;
  readonly scope: RequestScope;
  /** Whose prompt it is. */
  readonly owner: string;
  /** Looks at the engine's events on their way, for metrics. */
  readonly watch: (events: AsyncIterable<EngineEvent>, promptTokens: number) => AsyncIterable<EngineEvent>;
}

/**
 * One answer as pieces of text and, last, its end. When the request's time is over it ends with what there is and
 * reason `length`; without any token it throws `timed_out`.
 */
export async function* generateChoice(choice: Choice, context: GenerateContext): AsyncGenerator<ChoiceEvent> {
  const answer = openAnswer(choice, context.text);
  try {
    yield* readEvents(answer, choice, context);
  } catch (error) {
    if (!context.scope.isTimedOut || answer.tally.generatedTokens === 0) throw error;
    yield* endAnswer(answer, 'length');
  }
}

/** The state of one answer. */
interface Answer {
  readonly index: number;
  readonly decoder: StreamDecoder;
  readonly stop: StopFilter;
  isStopped: boolean;
  readonly builder: PieceBuilder;
  readonly tally: Tally;
  /** UTF-16 units of text so far, held back ones included. */
  offset: number;
}

function openAnswer(choice: Choice, text: TextCodec): Answer {
  const { promptIds, topLogprobs } = choice.request;
  return {
    index: choice.index,
    decoder: text.streamDecoder({ after: promptIds }),
    stop: createStopFilter(choice.stop),
    isStopped: false,
    builder: createPieceBuilder(choice.index, {
      splits: choice.returnTokenIds,
      hasLogprobs: topLogprobs !== undefined,
    }),
    tally: createTally(),
    offset: choice.echo?.length ?? 0,
  };
}

async function* readEvents(
  answer: Answer,
  choice: Choice,
  context: GenerateContext,
): AsyncGenerator<ChoiceEvent> {
  const { request, echo } = choice;
  const isEchoOnly = request.maxTokens === 0;
  if (echo !== undefined && !request.promptLogprobs) yield echoPiece(answer, echo, undefined);
  if (isEchoOnly && !request.promptLogprobs) return yield* endAnswer(answer, 'length');
  // An engine generates at least one token; of an echo alone it is dropped.
  const wanted = { ...request, cacheOwner: context.owner, maxTokens: Math.max(1, request.maxTokens) };
  const events = context.engine.generate(wanted, context.scope.fork());
  for await (const event of context.watch(events, request.promptIds.length)) {
    if (event.type === 'prompt') {
      yield echoPiece(answer, echo ?? '', promptEntries(event, request.promptIds, context.text));
      if (isEchoOnly) return yield* endAnswer(answer, 'length');
    } else if (event.type === 'tokens') {
      const isStopped = addRound(answer, event, request.stopTokenIds);
      yield* answer.builder.take();
      if (isStopped) return yield* endAnswer(answer, 'stop');
    } else {
      settle(answer.tally, event);
      return yield* endAnswer(answer, event.finishReason);
    }
  }
}

/** Turns a round into pieces. True: a stop string appeared, the rest of the round is no part of the answer. */
function addRound(answer: Answer, event: TokensEvent, stopTokenIds: readonly number[]): boolean {
  for (const [position, id] of event.ids.entries()) {
    // The end token is a token of the answer, but no text.
    const decoded = stopTokenIds.includes(id) ? '' : answer.decoder.push(id);
    const { text, stopped } = answer.stop.push(decoded);
    const logprob = event.logprobs?.[position];
    const entry = logprob === undefined ? undefined : { id, logprob, offset: answer.offset };
    answer.builder.add(text, id, event.origins[position]!, entry);
    answer.offset += decoded.length;
    if (!stopped) continue;
    answer.isStopped = true;
    countRound(answer.tally, event, position + 1);
    return true;
  }
  countRound(answer.tally, event, event.ids.length);
  return false;
}

/** What is held back is text after all, unless a stop string ended the answer. */
function* endAnswer(answer: Answer, reason: Finish['reason']): Generator<ChoiceEvent> {
  const { index, tally } = answer;
  const text = answer.isStopped ? '' : flush(answer);
  if (text !== '') yield { type: 'piece', index, text, ids: [], origins: [], logprobs: undefined };
  yield { type: 'finish', index, reason: answer.isStopped ? 'stop' : reason, tally };
}

/** Half a character that the answer ends with may still complete a stop string (as U+FFFD). */
function flush(answer: Answer): string {
  const { text, stopped } = answer.stop.push(answer.decoder.flush());
  answer.isStopped = stopped;
  return text + answer.stop.flush();
}

function echoPiece(answer: Answer, text: string, logprobs: Piece['logprobs']): Piece {
  return { type: 'piece', index: answer.index, text, ids: [], origins: [], logprobs };
}

function promptEntries(event: PromptEvent, ids: readonly number[], text: TextCodec): Piece['logprobs'] {
  const decoder = text.streamDecoder();
  let offset = 0;
  return ids.map((id, position) => {
    const entry = { id, logprob: event.logprobs[position] ?? null, offset };
    offset += decoder.push(id).length;
    return entry;
  });
}
