import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTensor, readTensor } from '../hf/read-tensor.ts';
import type { ModelFolder } from '../hf/types.ts';
import { layoutRoundedFile, layoutTargetFile, type RoundedFile, type RoundedMatrix } from './layout.ts';
import { roundMatrix } from './round.ts';
import type { Rounding } from './types.ts';

/** How to write. */
export interface WriteRoundedOptions {
  /** Looked at between matrices. */
  readonly signal?: AbortSignal | undefined;
  /** `share` of the matrices done, 0..1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/**
 * Rounds the products of a model into a new file of `dir`, matrix by matrix: memory holds one tensor of the checkpoint
 * at a time. The same weights give the same bytes. An abort raises the signal's reason and leaves a part of the file.
 */
export function writeRoundedFile(
  folder: ModelFolder,
  rounding: Rounding,
  dir: string,
  options: WriteRoundedOptions = {},
): Promise<RoundedFile> {
  return writeLayout(folder, layoutRoundedFile(folder.config, rounding), dir, options);
}

/** The same for a rounded target, with the tensors that are kept as stored behind its products. */
export function writeTargetFile(
  folder: ModelFolder,
  dir: string,
  options: WriteRoundedOptions = {},
): Promise<RoundedFile> {
  return writeLayout(folder, layoutTargetFile(folder), dir, options);
}

async function writeLayout(
  folder: ModelFolder,
  layout: RoundedFile,
  dir: string,
  { signal, onProgress }: WriteRoundedOptions,
): Promise<RoundedFile> {
  const { matrices, kept, rounding } = layout;
  const file = await open(join(dir, layout.file), 'wx');
  try {
    await writeAt(file, layout.header, 0);
    for (const [i, matrix] of matrices.entries()) {
      signal?.throwIfAborted();
      await writeMatrix(file, folder, matrix, rounding);
      onProgress?.((i + 1) / matrices.length);
    }
    for (const { name, offsetBytes } of kept.values()) {
      signal?.throwIfAborted();
      let at = offsetBytes;
      await copyTensor(folder, name, async (bytes) => {
        await writeAt(file, bytes, at);
        at += bytes.length;
      });
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return layout;
}

/** The rows of the sources one after the other: a row's blocks know nothing of other rows. */
async function writeMatrix(
  file: FileHandle,
  folder: ModelFolder,
  { sources, columns, packed, scales }: RoundedMatrix,
  rounding: Rounding,
): Promise<void> {
  let [packedAt, scalesAt] = [packed.offsetBytes, scales.offsetBytes];
  for (const source of sources) {
    const rounded = roundMatrix(await readTensor(folder, source), columns, rounding);
    const scaleBytes = new Uint8Array(rounded.scales.buffer);
    await writeAt(file, rounded.packed, packedAt);
    await writeAt(file, scaleBytes, scalesAt);
    packedAt += rounded.packed.length;
    scalesAt += scaleBytes.length;
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
