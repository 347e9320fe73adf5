/**
 * Every failure a caller may want to tell apart has a stable code. One place maps codes to HTTP statuses
 * (`src/server/errors.ts`), one to exit statuses (`src/cli/errors.ts`).
 */
export type ErrorCode =
  | 'model_unreadable' // a file of a model folder is missing, truncated or malformed
  | 'model_unsupported' // readable, but a family, key or dtype whose mathematics we do not implement
  | 'artifact_unreadable' // missing, truncated or malformed manifest or file
  | 'artifact_mismatch' // a file is not the one that the manifest names
  | 'artifact_too_new' // written by a newer schema version
  | 'runtime_failed' // ONNX Runtime refused a graph or a run
  | 'provider_unavailable' // an execution provider cannot be loaded on this machine
  | 'context_length_exceeded'
  | 'invalid_request' // a value that a caller chose is outside its range
  | 'engine_busy' // queue full
  | 'engine_closed' // disposed, draining, or its worker ended
  | 'timed_out'
  | 'internal';

/** Options of {@linkcode SdfpError}. */
export interface SdfpErrorOptions {
  readonly cause?: unknown;
  /** Name of the request field, flag or file key that is to blame, where there is one. */
  readonly param?: string;
}

/**
 * The one error class of this package. Messages state the action, what was found and what is needed, in that order.
 * Programmer mistakes are TypeError or RangeError instead.
 */
export class SdfpError extends Error {
  readonly code: ErrorCode;
  readonly param: string | undefined;

  constructor(code: ErrorCode, message: string, options: SdfpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SdfpError';
    this.code = code;
    this.param = options.param;
  }
}

/** Whether `error` is an {@linkcode SdfpError}, with `code` if one is given. */
export function isSdfpError(error: unknown, code?: ErrorCode): error is SdfpError {
  return error instanceof SdfpError && (code === undefined || error.code === code);
}

/** What went wrong, whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).trim();
}
