/** Facts of a {@linkcode ClientError}. */
export interface ClientErrorDetails {
  readonly status?: number | undefined;
  readonly param?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * A request that failed. `code` is the server's (`model_not_found`, `context_length_exceeded`, ...) or the client's own:
 * `network` (no answer), `bad_response` (not an answer of this API), `stream_interrupted` (the stream broke off, or
 * ended without `[DONE]`).
 */
export class ClientError extends Error {
  declare readonly code: string;
  /** HTTP status: undefined without an answer, 200 where the stream failed after it began. */
  declare readonly status: number | undefined;
  /** Name of the request field that is to blame, where the server says so. */
  declare readonly param: string | undefined;
  declare readonly requestId: string | undefined;
  /** What the server's `Retry-After` asked for. */
  declare readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, { cause, ...details }: ClientErrorDetails = {}) {
    super(message, { cause });
    Object.assign(this, details, { name: 'ClientError', code });
  }
}
