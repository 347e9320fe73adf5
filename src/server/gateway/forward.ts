import { invalidRequest } from '../errors.ts';
import { awaitFirstByte } from './first-byte.ts';

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
  for (const instance of inOrder(options.instances, request.id)) {
    const response = await ask(instance, request, options).catch(() => undefined);
    request.signal.throwIfAborted();
    if (response === undefined) continue;
    if (!RETRIED.has(response.status) && !(isResumed && response.status === 410)) return response;
    await refusal?.body?.cancel();
    refusal = response;
  }
  if (refusal !== undefined) return refusal;
  const message = `Forwarding the request: none of ${options.instances.length} instances answered, needs one.`;
  throw invalidRequest(502, 'no_instance', message, { headers: { 'retry-after': '1' } });
}

/** From one that the id chooses on, around. */
function inOrder(instances: readonly string[], id: string): readonly string[] {
  const start = hash(id) % instances.length;
  return [...instances.slice(start), ...instances.slice(0, start)];
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

async function ask(instance: string, request: Forwarded, options: ForwardOptions): Promise<Response> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(request.signal.reason);
  if (request.signal.aborted) abort();
  // Stays: it ends the answer's body, too.
  request.signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => controller.abort(new Error('no first byte')), options.firstByteTimeoutMs);
  try {
    const { method, headers, body = null } = request;
    const init = { method, headers, body, signal: controller.signal, redirect: 'manual' as const };
    return await awaitFirstByte(await options.fetch(instance + request.path, init));
  } finally {
    clearTimeout(timer);
  }
}
