/**
 * Client of the server's streams for browsers, edge isolates, Bun, Deno and Node. It needs `fetch` and web streams and
 * imports nothing else.
 *
 * ```ts
 * const client = createClient({ baseUrl: 'http://localhost:3000' });
 * for await (const event of client.complete({ prompt: 'Once upon a time', max_tokens: 100 })) {
 *   if (event.type === 'text') print(event.text, event.origins);
 *   else console.log(event.finishReason, event.usage, event.speculation);
 * }
 * ```
 */
import { readCompletionEvents } from './events.ts';
import { retryDelay, sleep } from './retry.ts';
import { send } from './send.ts';
import type {
  CallOptions,
  Client,
  ClientOptions,
  CompletionEvent,
  CompletionResult,
  CompletionStream,
  GenerationParams,
  TokenOrigin,
} from './types.ts';

export { ClientError, type ClientErrorDetails } from './errors.ts';
export type * from './types.ts';

/** Makes a client of the server at `baseUrl`. No request is sent. */
export function createClient(options: ClientOptions): Client {
  const base = String(options.baseUrl).replace(/\/+(v1\/*)?$/, '');
  const stream = (path: string, params: GenerationParams, call: CallOptions = {}) =>
    toStream(streamEvents(options, base + path, params, call.signal));
  return {
    chat: (params, call) => stream('/v1/chat/completions', params, call),
    complete: (params, call) => stream('/v1/completions', params, call),
  };
}

function toStream(events: AsyncGenerator<CompletionEvent>): CompletionStream {
  return { [Symbol.asyncIterator]: () => events, collect: () => collect(events) };
}

async function collect(events: AsyncIterable<CompletionEvent>): Promise<CompletionResult> {
  let text = '';
  const tokenIds: number[] = [];
  const origins: TokenOrigin[] = [];
  for await (const event of events) {
    if (event.type === 'end') {
      const { type: _, ...ending } = event;
      return { text, tokenIds, origins, ...ending };
    }
    text += event.text;
    tokenIds.push(...event.tokenIds);
    origins.push(...event.origins);
  }
  throw new TypeError('This stream has been read already; ask the client for another.');
}

async function* streamEvents(
  options: ClientOptions,
  url: string,
  params: GenerationParams,
  signal: AbortSignal | undefined,
): AsyncGenerator<CompletionEvent> {
  const { maxRetries = 2, retryDelayMs = 500, maxRetryDelayMs = 30_000 } = options;
  for (let attempt = 0; ; attempt++) {
    let hasStarted = false;
    try {
      for await (const event of readCompletionEvents(await send(options, url, params, signal))) {
        hasStarted = true;
        yield event;
        signal?.throwIfAborted(); // before what has arrived already
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      // Text that a person has seen is never taken back, so nothing is repeated after the first event.
      const delayMs = hasStarted
        ? undefined
        : retryDelay(error, attempt, { maxRetries, retryDelayMs, maxRetryDelayMs });
      if (delayMs === undefined) throw error;
      await sleep(delayMs, signal);
    }
  }
}
