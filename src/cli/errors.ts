import process from 'node:process';
import { inspect, stripVTControlCharacters } from 'node:util';
import { type ErrorCode, isSdfpError, SdfpError } from '../lib/errors.ts';

/** Exit statuses: 1 anything else, 2 the request, 3 a model or artifact, 4 ONNX Runtime, 5 the engine's state. */
const EXIT_STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 2,
  context_length_exceeded: 2,
  model_unreadable: 3,
  model_unsupported: 3,
  artifact_unreadable: 3,
  artifact_mismatch: 3,
  artifact_too_new: 3,
  runtime_failed: 4,
  provider_unavailable: 4,
  engine_busy: 5,
  engine_closed: 5,
  timed_out: 5,
  internal: 1,
};

/** The exit status that a failure ends the process with. */
export function exitStatus(error: unknown): number {
  return isSdfpError(error) ? EXIT_STATUS[error.code] : 1;
}

/** The failure as one line, or with stack and causes where SDFP_DEBUG=1. */
export function describeError(error: unknown): string {
  if (process.env.SDFP_DEBUG === '1') return inspect(error, { depth: 5 });
  const message = error instanceof Error ? error.message : String(error);
  const line = stripVTControlCharacters(message)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  const isExpected = isSdfpError(error) && error.code !== 'internal';
  return isExpected || isSystemError(error) ? line : `${line} (unexpected; SDFP_DEBUG=1 shows where)`;
}

/** A wrong use of the command line; `param` is the flag or argument to blame. */
export function usageError(message: string, param?: string): SdfpError {
  return new SdfpError('invalid_request', message, param === undefined ? {} : { param });
}

/** ENOENT and its kin: the message names the file and what the system said. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
