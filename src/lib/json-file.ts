import { readFile } from 'node:fs/promises';
import { type ErrorCode, messageOf, SdfpError } from './errors.ts';

/** Reads and parses a JSON file; a missing or malformed one is an {@linkcode SdfpError} with `code`. */
export async function readJsonFile(path: string, code: ErrorCode): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new SdfpError(code, `Cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
  try {
    // Some editors put a byte order mark first, which JSON.parse refuses.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new SdfpError(code, `Cannot parse ${path} as JSON: ${messageOf(cause)}.`, { cause });
  }
}

/** As {@linkcode readJsonFile}, or `undefined` if there is no such file. */
export async function readOptionalJsonFile(path: string, code: ErrorCode): Promise<unknown> {
  try {
    return await readJsonFile(path, code);
  } catch (error) {
    if (error instanceof SdfpError && isNotFound(error.cause)) return undefined;
    throw error;
  }
}

/** Whether a file system call failed because there is nothing at that path. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
