import type { EngineEvent, EngineInfo, EngineProfile, GenerateRequest } from '../engine/index.ts';
import type { TokenVocabulary } from '../grammar/index.ts';
import { type ErrorCode, SdfpError } from '../lib/errors.ts';

/** What the main thread says to an engine's worker. */
export type ToWorker =
  | { readonly type: 'generate'; readonly id: number; readonly request: GenerateRequest }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'vocabulary'; readonly vocabulary: TokenVocabulary }
  | { readonly type: 'profile'; readonly id: number }
  | { readonly type: 'dispose' };

/** What the worker says. `ready` or `failed` comes first; `disposed` last. */
export type FromWorker =
  | { readonly type: 'ready'; readonly info: EngineInfo }
  | { readonly type: 'failed'; readonly error: PackedError }
  | { readonly type: 'event'; readonly id: number; readonly event: EngineEvent }
  | { readonly type: 'error'; readonly id: number; readonly error: PackedError }
  | { readonly type: 'profile'; readonly id: number; readonly profile: EngineProfile }
  | { readonly type: 'disposed' };

/** An error as plain data: cloning an Error between threads keeps neither its class nor its code. */
export interface PackedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | undefined;
  /** Stack of the original, for the log. */
  readonly stack: string | undefined;
}

/** Anything thrown, as data; what is no SdfpError becomes `internal`. */
export function packError(error: unknown): PackedError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof SdfpError) return { code: error.code, message, param: error.param, stack };
  return { code: 'internal', message, param: undefined, stack };
}

/** The error again; its cause carries the worker's stack. */
export function unpackError({ code, message, param, stack }: PackedError): SdfpError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new SdfpError(code, message, { cause, ...(param === undefined ? {} : { param }) });
}
