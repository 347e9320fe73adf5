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
import { ClientError } from './errors.ts';
import { type Answer, addChunk, type WireChunk } from './events.ts';
import { retryDelay, sleep } from './retry.ts';
import { createSend, type Send } from './send.ts';
import { readServerSentEvents } from './sse.ts';
import type {
  CallOptions,
  Client,
  ClientOptions,
  CompletionEvent,
  EndEvent,
  GenerationParams,
} from './types.ts';

export { ClientError } from './errors.ts';
export type * from './types.ts';

/** Makes a client of the server at `baseUrl`. No request is sent. */
export function createClient(options: ClientOptions): Client {
  const base = String(options.baseUrl).replace(/\/+(v1\/*)?$/, '');
  const stream = (path: string) => (params: GenerationParams, call?: CallOptions) => {
    const send = createSend(options, `${base}/v1/${path}completions`, params);
    const events = streamEvents(send, options, call?.signal);
    return Object.assign(events, { collect: () => collect(events) });
  };
  return { chat: stream('chat/'), complete: stream('') };
}

async function collect(events: AsyncIterable<CompletionEvent>): Promise<EndEvent> {
  for await (const event of events) if (event.type === 'end') return event;
  throw new TypeError('A stream is read once.');
}

async function* streamEvents(
  send: Send,
  options: ClientOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<CompletionEvent> {
  const answer: Answer = { type: 'end', text: '', tokenIds: [], origins: [] };
  /** Number of the last event, as long as the server holds the stream. */
  let held: string | false | undefined;
  try {
    for (let attempt = 0; ; attempt++) {
      let response: Response | undefined;
      try {
        response = await send(held || '0', signal);
        answer.requestId = response.headers.get('x-request-id');
        for await (const { data, event, id } of readServerSentEvents(response.body!)) {
          if (!data) continue;
          held = options.resume && id;
          if (data === '[DONE]') {
            held = undefined;
            return yield answer;
          }
          const chunk: WireChunk = JSON.parse(data);
          if (event || chunk.error) throw new ClientError(chunk.error, response);
          const part = addChunk(answer, chunk);
          if (part) {
            // Text that a person has seen is never taken back: from here on a stream is resumed or fails.
            attempt = held ? 0 : Infinity;
            yield part;
            signal?.throwIfAborted(); // before what has arrived already
          }
        }
        throw 'no [DONE]';
      } catch (cause) {
        signal?.throwIfAborted();
        const broken = { code: 'stream_interrupted', message: `The stream broke: ${cause}` };
        const error = cause instanceof ClientError ? cause : new ClientError(broken, response, cause);
        await sleep(retryDelay(error, attempt, options), signal);
      }
    }
  } finally {
    // Who leaves a stream that is held says so, or the server would wait for a while.
    if (held) send('end').catch(() => {});
  }
}
