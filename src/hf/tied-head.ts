import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readExactly } from './read-exactly.ts';
import type { HeaderEntry } from './safetensors.ts';
import { EMBEDDING, HEAD } from './tensor-names.ts';

/** Bytes of each of the two tensors that are compared at a time. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Whether the head is the embedding. config.json may say so of a checkpoint that stores both: then they are tied only
 * if they are equal, as in transformers 5 (its `tie_weights` unties two stored tensors that differ).
 */
export async function isHeadTied(
  dir: string,
  claimed: boolean,
  entries: ReadonlyMap<string, HeaderEntry>,
): Promise<boolean> {
  const head = entries.get(HEAD);
  const embedding = entries.get(EMBEDDING);
  if (!claimed || head === undefined || embedding === undefined) return claimed;
  if (head.dtype !== embedding.dtype || head.lengthBytes !== embedding.lengthBytes) return false;
  return haveSameBytes(dir, head, embedding);
}

async function haveSameBytes(dir: string, a: HeaderEntry, b: HeaderEntry): Promise<boolean> {
  const fileA = await open(join(dir, a.file), 'r');
  const fileB = await open(join(dir, b.file), 'r').catch(async (error: unknown) => {
    await fileA.close();
    throw error;
  });
  try {
    for (let done = 0; done < a.lengthBytes; done += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, a.lengthBytes - done);
      const [bytesA, bytesB] = await Promise.all([
        readExactly(fileA, a.offsetBytes + done, length, a.file),
        readExactly(fileB, b.offsetBytes + done, length, b.file),
      ]);
      if (bytesA.some((byte, index) => byte !== bytesB[index])) return false;
    }
    return true;
  } finally {
    await Promise.all([fileA.close(), fileB.close()]);
  }
}
