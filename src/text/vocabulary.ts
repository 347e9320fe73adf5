import type { TextCodec } from './types.ts';

/**
 * Bytes of the ids 0 to `size - 1` one after the other; those of `id` are `bytes[offsets[id]..offsets[id + 1]]`. Special
 * tokens and ids without a token have none.
 */
export function collectTokenBytes(
  text: TextCodec,
  size: number,
): { bytes: Uint8Array; offsets: Uint32Array } {
  const words = Array.from({ length: size }, (_, id) => (text.isSpecial(id) ? NOTHING : text.tokenBytes(id)));
  const offsets = new Uint32Array(size + 1);
  for (const [id, word] of words.entries()) offsets[id + 1] = offsets[id]! + word.length;
  const bytes = new Uint8Array(offsets[size]!);
  for (const [id, word] of words.entries()) bytes.set(word, offsets[id]!);
  return { bytes, offsets };
}

const NOTHING = new Uint8Array();
