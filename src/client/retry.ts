import { ClientError } from './errors.ts';

/** How often and how long to wait before a repeat. */
export interface RetryPolicy {
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/** Milliseconds that a `Retry-After` header asks for: whole seconds or an HTTP date (RFC 9110, 10.2.3). */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Milliseconds to wait before repeat number `attempt` (from 0), or undefined if `error` must not be repeated. */
export function retryDelay(error: unknown, attempt: number, policy: RetryPolicy): number | undefined {
  if (!(error instanceof ClientError) || attempt >= policy.maxRetries) return undefined;
  const { code, status, retryAfterMs } = error;
  const isTransient = status === 429 || status === 503 || code === 'network' || code === 'stream_interrupted';
  if (!isTransient) return undefined;
  if (retryAfterMs !== undefined) return retryAfterMs > policy.maxRetryDelayMs ? undefined : retryAfterMs;
  // Half of the delay is random, so that clients which failed together do not come back together.
  const delayMs = policy.retryDelayMs * 2 ** attempt * (0.5 + Math.random() / 2);
  return Math.min(delayMs, policy.maxRetryDelayMs);
}

/** Resolves after `ms`; rejects with the signal's reason at once when it aborts. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
