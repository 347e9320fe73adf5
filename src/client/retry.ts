import type { ClientError } from './errors.ts';

/** How often and how long to wait before a repeat; defaults as in `ClientOptions`. */
export interface RetryPolicy {
  readonly maxRetries?: number | undefined;
  readonly retryDelayMs?: number | undefined;
  readonly maxRetryDelayMs?: number | undefined;
}

/** Milliseconds to wait before repeat number `attempt` (from 0). Errors: `error`, if it must not be repeated. */
export function retryDelay(error: ClientError, attempt: number, policy: RetryPolicy): number {
  const { maxRetries = 2, retryDelayMs = 500, maxRetryDelayMs = 30_000 } = policy;
  // Half of the delay is random, so that clients which failed together do not come back together.
  const delayMs = Math.min(retryDelayMs * 2 ** attempt * (0.5 + Math.random() / 2), maxRetryDelayMs);
  const { code, status, retryAfterMs = delayMs } = error;
  const isTransient = status === 429 || status === 503 || /^network|interrupted$/.test(code);
  if (!isTransient || attempt >= maxRetries || retryAfterMs > maxRetryDelayMs) throw error;
  return retryAfterMs;
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    // Stays with the signal until that goes: a stream has few waits.
    signal?.addEventListener('abort', () => resolve(clearTimeout(timer)));
  });
}
