import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv } from '../context.ts';
import { invalidRequest } from '../errors.ts';
import { ownerOf } from '../owner.ts';
import { SSE_HEADERS } from '../sse.ts';
import { holdStream } from './held-stream.ts';
import { createHeldStreams, type HeldStreams, type Owner } from './held-streams.ts';

export interface ResumeOptions {
  /** How long a stream is held without a reader, and after its end. 0: nothing is held. */
  readonly keepMs: number;
  /** Streams held at once; further ones are answered without numbers. Default 64. */
  readonly maxStreams?: number;
  /** Of them, those of one key. Default: a quarter. */
  readonly maxPerOwner?: number;
  /** Bytes of the newest events held of each. Default 256 KiB. */
  readonly maxBytes?: number;
  /** From its abort on (the server shuts down) no stream is held without a reader. */
  readonly ending?: AbortSignal;
}

/** What one app holds, and how. */
interface Holding {
  readonly streams: HeldStreams;
  readonly keepMs: () => number;
  readonly maxBytes: number;
}

/**
 * Lets a client go on with a stream that broke off. It sends `Last-Event-ID: 0` and an `x-request-id` of its own; the
 * events then come with numbers (`id:`), and the stream outlives its connection for a while. The same request again (path,
 * body, id and key) with the last number seen gets what comes after it; with `end` it lets go of the stream. Errors: 410
 * `stream_not_held`. Without that header a request ends with its connection.
 */
export function resumeStreams(options: ResumeOptions): MiddlewareHandler<AppEnv> {
  const holding = createHolding(options);
  const { streams } = holding;
  return async (c, next) => {
    const lastEventId = c.req.header('last-event-id');
    if (lastEventId === undefined || c.req.method !== 'POST') return next();
    const sender = await ownerOf(c);
    const key = await keyOf(c, sender);
    const stream = streams.get(key);
    if (lastEventId === 'end') {
      if (stream === undefined) throw notHeld(lastEventId);
      stream.drop();
      return c.body(null, 204);
    }
    const after = toNumber(lastEventId);
    const body = stream?.read(after, c.req.raw.signal);
    if (body !== undefined) return c.body(body, 200, { ...SSE_HEADERS });
    if (after > 0) throw notHeld(lastEventId);
    stream?.drop();
    const begin = await separate(c);
    await next();
    const owner = c.req.header('authorization') === undefined ? undefined : sender;
    begin(() => hold(c, { key, owner }, holding));
  };
}

function createHolding({ keepMs, ending, maxBytes = 256 * 1024, ...limits }: ResumeOptions): Holding {
  const { maxStreams = 64, maxPerOwner = Math.ceil(maxStreams / 4) } = limits;
  const streams = createHeldStreams({ maxStreams, maxPerOwner });
  ending?.addEventListener('abort', () => streams.dropUnread(), { once: true });
  return { streams, keepMs: () => (ending?.aborted ? 0 : keepMs), maxBytes };
}

/** Only who has the key and sent the very request finds its stream. */
async function keyOf(c: Context<AppEnv>, owner: string): Promise<string> {
  const parts = [owner, c.req.path, c.get('record').id, await c.req.text()];
  const bytes = new TextEncoder().encode(parts.join('\n'));
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toString();
}

function toNumber(lastEventId: string): number {
  if (/^\d{1,9}$/.test(lastEventId)) return Number(lastEventId);
  const message = `Reading the request: Last-Event-ID is ${JSON.stringify(lastEventId.slice(0, 20))}, needs a number or "end".`;
  throw invalidRequest(400, 'invalid_request', message, { param: 'Last-Event-ID' });
}

function notHeld(lastEventId: string): Error {
  const message = `Resuming the stream: the stream of event ${lastEventId} is not held here (any more), needs a new request.`;
  return invalidRequest(410, 'stream_not_held', message);
}

/**
 * Gives the request a signal of its own, which aborts with the connection until what is returned is called with an action
 * that takes the stream over.
 */
async function separate(c: Context<AppEnv>): Promise<(takeOver: () => boolean) => void> {
  const connection = c.req.raw.signal;
  const own = new AbortController();
  const abort = (): void => own.abort(connection.reason);
  if (connection.aborted) abort();
  connection.addEventListener('abort', abort);
  const { method, headers } = c.req.raw;
  const body = await c.req.text();
  const connected = c.req.raw;
  c.req.raw = new Request(c.req.url, { method, headers, body, signal: own.signal });
  return (takeOver) => {
    c.req.raw = connected;
    if (takeOver()) connection.removeEventListener('abort', abort);
  };
}

/** Whether the answer is a stream and is held from now on. */
function hold(
  c: Context<AppEnv>,
  { key, owner }: { readonly key: string; readonly owner: Owner },
  { streams, keepMs, maxBytes }: Holding,
): boolean {
  const source = c.res.body;
  const isStream = c.res.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  if (!isStream || source === null || keepMs() === 0 || c.req.raw.signal.aborted) return false;
  streams.get(key)?.drop();
  if (!streams.makeRoom(owner)) return false;
  const stream = holdStream(source, { keepMs, maxBytes, onDrop: () => streams.delete(key) });
  streams.add(key, owner, stream);
  c.res = new Response(stream.read(0, c.req.raw.signal), c.res);
  return true;
}
