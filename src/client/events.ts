import type { ChatChunk, ChatChunkChoice, CompletionChunkChoice, ErrorBody } from '../api/answers.ts';
import { ClientError } from './errors.ts';
import { readServerSentEvents } from './sse.ts';
import type { CompletionEvent, FinishReason, SpeculationMetrics, Usage } from './types.ts';

/** The server's error object; a proxy in between may leave things out. */
export type WireError = Partial<ErrorBody>;

/** What is read of a streamed chunk of either endpoint. */
interface WireChunk extends Partial<Pick<ChatChunk, 'usage' | 'metrics'>> {
  readonly error?: WireError;
  readonly choices?: readonly Partial<Pick<ChatChunkChoice, 'delta'> & CommonChoice>[];
}
type CommonChoice = Pick<CompletionChunkChoice, 'text' | 'finish_reason' | 'token_ids' | 'token_origins'>;

/** What an error says about the answer it came with. */
interface AnswerFacts {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

function parseChunk(data: string, facts: AnswerFacts): WireChunk {
  try {
    return JSON.parse(data);
  } catch (cause) {
    const start = data.slice(0, 80);
    throw new ClientError('bad_response', `Reading the stream: not JSON: ${start}`, { ...facts, cause });
  }
}

/**
 * Reads the event stream of one answer; its body is cancelled when the loop is left. Errors: {@linkcode ClientError}.
 */
export async function* readCompletionEvents(response: Response): AsyncGenerator<CompletionEvent> {
  const facts = { status: response.status, requestId: response.headers.get('x-request-id') ?? undefined };
  try {
    if (response.body) yield* readChunks(response.body, facts);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError('stream_interrupted', `Reading the stream: the connection broke: ${cause}`, {
      ...facts,
      cause,
    });
  }
}

async function* readChunks(
  body: ReadableStream<Uint8Array>,
  facts: AnswerFacts,
): AsyncGenerator<CompletionEvent> {
  let finishReason: FinishReason | undefined;
  let usage: Usage | undefined;
  let speculation: SpeculationMetrics | undefined;
  for await (const { event, data } of readServerSentEvents(body)) {
    if (data === '[DONE]') {
      yield { type: 'end', finishReason, usage, speculation, requestId: facts.requestId };
      return;
    }
    const chunk = parseChunk(data, facts);
    if (chunk.error || event === 'error') throw toClientError(chunk.error ?? {}, facts);
    const choice = chunk.choices?.[0];
    const text = choice?.delta?.content ?? choice?.text ?? '';
    const tokenIds = choice?.token_ids ?? [];
    if (text || tokenIds.length > 0) {
      yield { type: 'text', text, tokenIds, origins: choice?.token_origins ?? [] };
    }
    finishReason = choice?.finish_reason ?? finishReason;
    usage = chunk.usage ?? usage;
    speculation = chunk.metrics?.speculative_decoding ?? speculation;
  }
  throw new ClientError('stream_interrupted', 'Reading the stream: it ended without [DONE].', facts);
}

/** Turns the server's error object into a {@linkcode ClientError}. */
export function toClientError(error: WireError, facts: AnswerFacts): ClientError {
  const code = error.code ?? error.type ?? `http_${facts.status}`;
  const message = error.message ?? `The server answered with status ${facts.status} and no message.`;
  return new ClientError(code, message, { ...facts, param: error.param ?? undefined });
}
