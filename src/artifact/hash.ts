import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Files below this size are hashed in the fast mode too. */
const FAST_LIMIT_BYTES = 1_000_000;

/** SHA-256 of a file's content, hexadecimal; reads in chunks, so a file of any size needs little memory. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** Size and hash, as the manifest lists them. */
export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
  readonly checkedFast: boolean;
}

/** Of a file on disk. */
export async function describeFile(path: string, signal?: AbortSignal): Promise<FileFacts> {
  const { size } = await stat(path);
  return { bytes: size, sha256: await hashFile(path, signal), checkedFast: size < FAST_LIMIT_BYTES };
}

/** Of a file about to be written. */
export function describeBytes(content: Uint8Array): FileFacts {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { bytes: content.length, sha256, checkedFast: content.length < FAST_LIMIT_BYTES };
}
