import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Puts the file behind `source` at `destination`: a hard link, or a copy where asked or where linking is impossible
 * (another disk, a file system without links). Symbolic links are followed first, as the Hugging Face cache is full of them.
 * A hard link shares the bytes: who later edits the model's file in place changes the artifact too, which opening it notices by the hash.
 */
export async function placeFile(source: string, destination: string, copy: boolean): Promise<void> {
  const original = await realpath(source);
  await mkdir(dirname(destination), { recursive: true });
  if (!copy && (await tryLink(original, destination))) return;
  await copyFile(original, destination, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

async function tryLink(original: string, destination: string): Promise<boolean> {
  try {
    await link(original, destination);
    return true;
  } catch {
    // Whatever the reason (EXDEV, EPERM, EMLINK, ENOTSUP), copying is the fallback, and it reports real trouble itself.
    return false;
  }
}

/** Writes a new file and waits until the disk has it, so that a rename afterwards never exposes an empty one. */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
