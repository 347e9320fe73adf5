import type { FileHandle } from 'node:fs/promises';
import { SdfpError } from '../lib/errors.ts';

/** A read returns fewer bytes than asked for beyond this (2 GiB - 4 KiB on Linux), and a smaller one can be interrupted sooner. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/** Fills `target` from byte `position` of the file on. Fails if the file ends before. */
export async function readInto(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  file: string,
): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    const length = Math.min(MAX_READ_BYTES, target.byteLength - done);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) {
      throw new SdfpError(
        'model_unreadable',
        `Cannot read ${file}: it ends at byte ${position + done}, ${target.byteLength - done} bytes too early.`,
        { param: file },
      );
    }
    done += bytesRead;
  }
}

/** `length` bytes from byte `position` of the file on. */
export async function readExactly(
  handle: FileHandle,
  position: number,
  length: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await readInto(handle, bytes, position, file);
  return bytes;
}
