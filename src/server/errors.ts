import type { ErrorBody, ErrorEnvelope } from '../api/index.ts';
import { type ErrorCode, SdfpError } from '../lib/errors.ts';

type Status = 400 | 401 | 404 | 405 | 410 | 413 | 429 | 500 | 502 | 503 | 504;

/** An answer that is no success. The handlers throw it, `onError` of the app writes it. */
export class ApiError extends Error {
  readonly status: Status;
  readonly body: ErrorBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: Status, body: ErrorBody, headers: Readonly<Record<string, string>> = {}) {
    super(body.message);
    this.name = 'ApiError';
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  get envelope(): ErrorEnvelope {
    return { error: this.body };
  }
}

/** Seconds after which a refused client may come back. */
const RETRY_AFTER = { 'retry-after': '1' };

const STATUS: Partial<Record<ErrorCode, readonly [Status, string]>> = {
  context_length_exceeded: [400, 'invalid_request_error'],
  invalid_request: [400, 'invalid_request_error'],
  engine_busy: [429, 'rate_limit_error'],
  engine_closed: [503, 'server_error'],
  timed_out: [504, 'server_error'],
};

/**
 * The answer to a failure. Only messages of codes in the table reach the caller, and not those that quote a cause: others
 * may hold paths of this machine (the log has them).
 */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const known = error instanceof SdfpError ? STATUS[error.code] : undefined;
  if (!(error instanceof SdfpError) || known === undefined) {
    return new ApiError(500, {
      message: 'The server failed.',
      type: 'server_error',
      param: null,
      code: 'internal',
    });
  }
  const [status, type] = known;
  const message = status >= 500 && error.cause !== undefined ? 'The engine has ended.' : error.message;
  const body = { message, type, param: error.param ?? null, code: error.code };
  return new ApiError(status, body, status === 429 || status === 503 ? RETRY_AFTER : {});
}

/** An error of the HTTP layer itself. */
export function invalidRequest(
  status: Status,
  code: string,
  message: string,
  extra: { readonly param?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): ApiError {
  const body = { message, type: 'invalid_request_error', param: extra.param ?? null, code };
  return new ApiError(status, body, extra.headers);
}
