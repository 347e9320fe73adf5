import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { withWeights } from './open-weights.ts';
import { readExactly, readInto } from './read-exactly.ts';
import type { ModelFolder, TensorRef } from './types.ts';
import { STORED_BYTES, widen } from './widen.ts';

/** Elements of a 16-bit tensor that are widened at a time, so that only a small copy lies beside the result. */
const CHUNK_ELEMENTS = 4 * 1024 * 1024;

/** The values of a tensor in row-major order, widened to float32 (which is exact). Throws RangeError for an unknown name. */
export async function readTensor(
  folder: Pick<ModelFolder, 'dir' | 'tensors'>,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const ref = folder.tensors.get(name);
  if (ref === undefined) throw new RangeError(`No tensor ${name} in this model.`);
  return withWeights(join(folder.dir, ref.file), (handle) => readValues(handle, ref));
}

// Both the format and every platform of ours are little-endian, so bytes are numbers as they lie.
async function readValues(handle: FileHandle, ref: TensorRef): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(ref.lengthBytes / STORED_BYTES[ref.dtype]);
  if (ref.dtype === 'F32') {
    await readInto(handle, new Uint8Array(values.buffer), ref.offsetBytes, ref.file);
    return values;
  }
  for (let done = 0; done < values.length; done += CHUNK_ELEMENTS) {
    const target = values.subarray(done, done + CHUNK_ELEMENTS);
    const bytes = await readExactly(handle, ref.offsetBytes + done * 2, target.length * 2, ref.file);
    widen(ref.dtype, new Uint16Array(bytes.buffer), target);
  }
  return values;
}
