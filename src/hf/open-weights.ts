import { type FileHandle, open } from 'node:fs/promises';
import { SdfpError } from '../lib/errors.ts';

/** Runs `read` with the weight file open. Throws SdfpError `model_unreadable` if it cannot be opened. */
export async function withWeights<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    const message = `Cannot open the weights ${path}: it is missing or may not be read.`;
    throw new SdfpError('model_unreadable', message, { cause });
  });
  try {
    return await read(handle);
  } finally {
    await handle.close();
  }
}
