import type { ErrorBody } from '../api/answers.ts';
import { parseRetryAfter } from './retry-after.ts';

/**
 * A request that failed. `code` is the server's (`model_not_found`, `context_length_exceeded`, ...), `http_` and the
 * status of an answer that is none of this API, or the client's own: `network` (no answer), `stream_interrupted` (the
 * stream broke off, or is not what it should be). `stream_not_held` (410): a stream that broke off cannot be resumed.
 */
export class ClientError extends Error {
  declare readonly code: string;
  /** HTTP status: undefined without an answer, 200 where the stream failed after it began. */
  declare readonly status: number | undefined;
  /** Name of the request field that is to blame, where the server says so. */
  declare readonly param: string | null | undefined;
  /** The answer's `x-request-id`, if it has one. */
  declare readonly requestId: string | null | undefined;
  /** What the server's `Retry-After` asked for. */
  declare readonly retryAfterMs: number | undefined;

  /** `error`: the server's, or what is left of it behind a proxy. */
  constructor(error: Partial<ErrorBody> | undefined, response?: Response, cause?: unknown) {
    const { status, headers } = response ?? {};
    super(error?.message ?? `Found status ${status}.`, { cause });
    Object.assign(this, error, {
      name: 'ClientError',
      code: error?.code ?? error?.type ?? `http_${status}`,
      status,
      requestId: headers?.get('x-request-id'),
      retryAfterMs: parseRetryAfter(headers?.get('retry-after') ?? ''),
    });
  }
}
