import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTensor, readTensor } from '../hf/read-tensor.ts';
import type { ModelFolder } from '../hf/types.ts';
import {
  layoutReducedHead,
  layoutRoundedFile,
  layoutTargetFile,
  type RoundedFile,
  type RoundedMatrix,
} from './layout.ts';
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

/** The same of the LM head's rows of the tokens `vocabulary`, in their order. */
export function writeReducedHead(
  folder: ModelFolder,
  rounding: Rounding,
  vocabulary: readonly number[],
  dir: string,
  options: WriteRoundedOptions = {},
): Promise<RoundedFile> {
  const layout = layoutReducedHead(folder.config, rounding, vocabulary.length);
  return writeLayout(folder, layout, dir, options, vocabulary);
}

/** `rowsOnly`: of each matrix; default: all. */
async function writeLayout(
  folder: ModelFolder,
  layout: RoundedFile,
  dir: string,
  { signal, onProgress }: WriteRoundedOptions,
  rowsOnly?: readonly number[],
): Promise<RoundedFile> {
  const { matrices, kept, rounding } = layout;
  const read = async (source: string, columns: number): Promise<Float32Array> => {
    const matrix = await readTensor(folder, source);
    return rowsOnly === undefined ? matrix : selectRows(matrix, columns, rowsOnly);
  };
  const file = await open(join(dir, layout.file), 'wx');
  try {
    await writeAt(file, layout.header, 0);
    for (const [i, matrix] of matrices.entries()) {
      signal?.throwIfAborted();
      await writeMatrix(file, matrix, read, rounding);
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
  { sources, columns, packed, scales }: RoundedMatrix,
  read: (source: string, columns: number) => Promise<Float32Array>,
  rounding: Rounding,
): Promise<void> {
  let [packedAt, scalesAt] = [packed.offsetBytes, scales.offsetBytes];
  for (const source of sources) {
    const rounded = roundMatrix(await read(source, columns), columns, rounding);
    const scaleBytes = new Uint8Array(rounded.scales.buffer);
    await writeAt(file, rounded.packed, packedAt);
    await writeAt(file, scaleBytes, scalesAt);
    packedAt += rounded.packed.length;
    scalesAt += scaleBytes.length;
  }
}

/** Rows of a matrix [N, `columns`]. */
function selectRows(matrix: Float32Array, columns: number, rows: readonly number[]): Float32Array {
  const selected = new Float32Array(rows.length * columns);
  for (const [i, row] of rows.entries()) {
    selected.set(matrix.subarray(row * columns, (row + 1) * columns), i * columns);
  }
  return selected;
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
