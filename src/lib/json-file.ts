import { readFile } from 'node:fs/promises';
import { type ErrorCode, messageOf, SdfpError } from './errors.ts';
import { isLfsPointer, LFS_POINTER_PROBLEM } from './lfs-pointer.ts';
import { explainSystemError } from './system-error.ts';

/** Reads and parses a JSON file; a missing or malformed one is an {@linkcode SdfpError} with `code`. */
export async function readJsonFile(path: string, code: ErrorCode): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new SdfpError(code, `Cannot read ${path}: ${explainSystemError(cause)}.`, { cause });
  }
  try {
    // Some editors put a byte order mark first, which JSON.parse refuses.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new SdfpError(code, `Cannot read ${path}: ${whyNoJson(text, messageOf(cause))}.`, { cause });
  }
}

function whyNoJson(text: string, parserMessage: string): string {
  if (text.trim() === '') return 'it is empty and needs a JSON document';
  if (isLfsPointer(text)) return LFS_POINTER_PROBLEM;
  return `it is not JSON, or is cut off (${parserMessage})`;
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
