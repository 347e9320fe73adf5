import { messageOf } from '../../lib/errors.ts';
import { ApiError } from '../errors.ts';
import { awaitFirstByte } from './first-byte.ts';
import { rank } from './rank.ts';

/** A request that any instance can answer. */
export interface Forwarded {
  readonly id: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: ArrayBuffer | undefined;
  readonly signal: AbortSignal;
}

export interface ForwardOptions {
  /** Base URLs. */
  readonly instances: readonly string[];
  readonly firstByteTimeoutMs: number;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Gets why an instance gave no answer. Names the instance: for the log only. */
  readonly note: (failure: string) => void;
}

/** Too busy, not ready, or gone: another instance may well answer. */
const RETRIED = new Set([429, 502, 503, 504]);

/**
 * The first answer of an instance that is not too busy, down or still cold; the instances are tried in an order that
 * depends on the request's id alone, so a resumed stream comes to the instance that holds it. If all refuse: the last
 * refusal. Errors: 502 `no_instance`; the signal's reason.
 */
export async function forward(request: Forwarded, options: ForwardOptions): Promise<Response> {
  const isResumed = request.headers.has('last-event-id');
  let refusal: Response | undefined;
  for (const instance of rank(options.instances, request.id)) {
    const response = await ask(instance, request, options);
    request.signal.throwIfAborted();
    if (response === undefined) continue;
    if (!RETRIED.has(response.status) && !(isResumed && response.status === 410)) return response;
    await refusal?.body?.cancel();
    refusal = response;
  }
  if (refusal !== undefined) return refusal;
  throw noInstance(options.instances.length);
}

function noInstance(asked: number): ApiError {
  const message = `Forwarding the request: none of ${asked} instances answered, needs one.`;
  const body = { message, type: 'server_error', param: null, code: 'no_instance' };
  return new ApiError(502, body, { 'retry-after': '1' });
}

/** Undefined: it cannot be reached, broke off or was too slow. */
async function ask(
  instance: string,
  request: Forwarded,
  options: ForwardOptions,
): Promise<Response | undefined> {
  const { method, headers, body = null } = request;
  const { firstByteTimeoutMs, note } = options;
  const { href, origin } = new URL(instance + request.path);
  const controller = new AbortController();
  const abort = (): void => controller.abort(request.signal.reason);
  if (request.signal.aborted) abort();
  // Stays: it ends the answer's body, too.
  request.signal.addEventListener('abort', abort, { once: true });
  const expire = (): void => controller.abort(new Error(`no first byte within ${firstByteTimeoutMs} ms`));
  const timer = setTimeout(expire, firstByteTimeoutMs);
  const init = { method, headers, body, signal: controller.signal, redirect: 'manual' as const };
  try {
    return await awaitFirstByte(await options.fetch(href, init));
  } catch (error) {
    // Only the connection fails in here; what class of error it fails with differs between the runtimes.
    // Deno's messages quote the URL, whose query may hold what people wrote.
    const reason = explain(error).replaceAll(href, origin).slice(0, 300);
    if (!request.signal.aborted) note(`${origin}: ${reason}`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** With the causes: Node's `fetch failed` alone says nothing. */
function explain(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown instanceof AggregateError ? thrown.errors[0] : thrown.cause;
  const parts = [messageOf(thrown), cause === undefined ? '' : explain(cause)];
  return parts.filter((part) => part !== '').join(': ') || thrown.name;
}
