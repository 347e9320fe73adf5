import { mkdir, rmdir } from 'node:fs/promises';
import { SdfpError } from '../lib/errors.ts';
import { explainSystemError, systemCode } from '../lib/system-error.ts';
import { chooseDestination, type Destination, refusal } from './destination.ts';
import { temporaryName } from './temporary.ts';

/** Failures that another place would not have; a missing source file (ENOENT), for one, is none of them. */
const PLACE_CODES = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'ENOTDIR',
  'EEXIST',
  'ENAMETOOLONG',
  'ELOOP',
]);

/**
 * Looks at the place before a build begins, as {@linkcode chooseDestination} does, and tries whether it can be written
 * to. Throws SdfpError `invalid_request` where it cannot.
 */
export function prepareDestination(outDir: string, modelDir: string): Promise<Destination> {
  return writingTo(outDir, async () => {
    const destination = await chooseDestination(outDir, modelDir);
    await tryWriting(temporaryName(destination.dir));
    if (destination.kind === 'in-place') await tryWriting(temporaryName(`${destination.dir}/manifest.json`));
    return destination;
  });
}

async function tryWriting(path: string): Promise<void> {
  await mkdir(path);
  await rmdir(path);
}

/** A folder that cannot be made where its parent is there, as in /proc, is of the place too. */
function isOfPlace(error: unknown): boolean {
  const call = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  return PLACE_CODES.has(systemCode(error) ?? '') || (systemCode(error) === 'ENOENT' && call === 'mkdir');
}

/** Runs `write`. What the file system has against the place becomes SdfpError `invalid_request` that says what it is. */
export async function writingTo<T>(outDir: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof SdfpError || !isOfPlace(error)) throw error;
    const at = error instanceof Error && 'path' in error ? `, at ${error.path}` : '';
    throw refusal(outDir, `${explainSystemError(error)}${at}`, error);
  }
}
