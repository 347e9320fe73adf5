import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { withWeights } from './open-weights.ts';
import { readExactly, readInto } from './read-exactly.ts';
import type { ModelFolder, TensorRef } from './types.ts';
import { STORED_BYTES, widen } from './widen.ts';

/** Elements of a 16-bit tensor that are widened at a time, so that only a small copy lies beside the result. */
const CHUNK_ELEMENTS = 4 * 1024 * 1024;

/** Bytes of a tensor that are copied at a time. */
const CHUNK_BYTES = 16 * 1024 * 1024;

/** The values of a tensor in row-major order, widened to float32 (which is exact). Throws RangeError for an unknown name. */
export async function readTensor(
  folder: Pick<ModelFolder, 'dir' | 'tensors'>,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const ref = findTensor(folder, name);
  return withWeights(join(folder.dir, ref.file), (handle) => readValues(handle, ref));
}

/** Hands the bytes of a tensor as stored to `write`, in order, part by part. Throws RangeError for an unknown name. */
export async function copyTensor(
  folder: Pick<ModelFolder, 'dir' | 'tensors'>,
  name: string,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const { file, offsetBytes, lengthBytes } = findTensor(folder, name);
  await withWeights(join(folder.dir, file), async (handle) => {
    for (let done = 0; done < lengthBytes; done += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, lengthBytes - done);
      await write(await readExactly(handle, offsetBytes + done, length, file));
    }
  });
}

function findTensor({ tensors }: Pick<ModelFolder, 'tensors'>, name: string): TensorRef {
  const ref = tensors.get(name);
  if (ref === undefined) throw new RangeError(`No tensor ${name} in this model.`);
  return ref;
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
