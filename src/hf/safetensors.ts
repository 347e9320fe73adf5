import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { SdfpError } from '../lib/errors.ts';
import { isLfsPointer, LFS_POINTER_BYTES, LFS_POINTER_PROBLEM } from '../lib/lfs-pointer.ts';
import { size } from './fields.ts';
import { withWeights } from './open-weights.ts';
import { parse } from './parse.ts';
import { readExactly } from './read-exactly.ts';

/** One entry of a safetensors header, its offset counted from the start of the file. */
export interface HeaderEntry {
  readonly name: string;
  /** As written, also types that we cannot use. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly file: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Bytes of the length that a file starts with. */
const PREFIX_BYTES = 8;
/** The reference implementation's limit (MAX_HEADER_SIZE); a longer one is a damaged prefix. */
const MAX_HEADER_BYTES = 100_000_000;

/** Bytes per element of the types whose size we can check. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

const HeaderSchema = v.record(
  v.string(),
  v.object({ dtype: v.string(), shape: v.array(size), data_offsets: v.tuple([size, size]) }),
);

/**
 * Reads and checks the header of a safetensors file; no weight is read. The tensors must fill the file without gap or
 * overlap, as the format demands, so that a truncated or patched file is found out here.
 * Format: https://github.com/huggingface/safetensors#format
 */
export async function readSafetensorsHeader(dir: string, file: string): Promise<readonly HeaderEntry[]> {
  return withWeights(join(dir, file), async (handle) => {
    const { size: fileBytes } = await handle.stat();
    const headerBytes = await readHeaderLength(handle, file, fileBytes);
    const text = await readHeaderText(handle, file, headerBytes);
    const dataStart = PREFIX_BYTES + headerBytes;
    const entries = toEntries(parseHeader(text, file), file, dataStart);
    checkLayout(entries, file, dataStart, fileBytes);
    return entries;
  });
}

async function readHeaderLength(handle: FileHandle, file: string, fileBytes: number): Promise<number> {
  if (fileBytes < PREFIX_BYTES)
    throw unreadable(file, `it has ${fileBytes} bytes and needs at least ${PREFIX_BYTES}`);
  if (fileBytes >= LFS_POINTER_BYTES) {
    const start = await readExactly(handle, 0, LFS_POINTER_BYTES, file);
    if (isLfsPointer(new TextDecoder('latin1').decode(start))) throw unreadable(file, LFS_POINTER_PROBLEM);
  }
  const prefix = await readExactly(handle, 0, PREFIX_BYTES, file);
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw unreadable(
      file,
      `its header claims ${length} bytes, the format allows ${MAX_HEADER_BYTES}, so it is damaged or no safetensors file`,
    );
  }
  if (PREFIX_BYTES + Number(length) > fileBytes) {
    throw unreadable(file, `it is truncated: its header needs ${length} bytes and the file has ${fileBytes}`);
  }
  return Number(length);
}

async function readHeaderText(handle: FileHandle, file: string, headerBytes: number): Promise<string> {
  const bytes = await readExactly(handle, PREFIX_BYTES, headerBytes, file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(file, 'its header is no UTF-8', cause);
  }
}

function parseHeader(text: string, file: string): v.InferOutput<typeof HeaderSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, 'its header is no JSON', cause);
  }
  if (typeof json !== 'object' || json === null) throw unreadable(file, 'its header is no JSON object');
  // Free text such as {"format": "pt"}, not a tensor.
  const tensors = Object.fromEntries(Object.entries(json).filter(([name]) => name !== '__metadata__'));
  return parse(HeaderSchema, tensors, `the header of ${file}`);
}

function toEntries(
  header: v.InferOutput<typeof HeaderSchema>,
  file: string,
  dataStart: number,
): readonly HeaderEntry[] {
  return Object.entries(header).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, end],
      },
    ]) => {
      if (end < begin)
        throw unreadable(file, `tensor ${name} ends at byte ${end}, before it begins at ${begin}`);
      const elementBytes = ELEMENT_BYTES[dtype];
      const needed =
        elementBytes === undefined ? undefined : shape.reduce((total, dim) => total * dim, elementBytes);
      if (needed !== undefined && needed !== end - begin) {
        throw unreadable(
          file,
          `tensor ${name} of type ${dtype} and shape [${shape.join(', ')}] needs ${needed} bytes and has ${end - begin}`,
        );
      }
      return { name, dtype, shape, file, offsetBytes: dataStart + begin, lengthBytes: end - begin };
    },
  );
}

function checkLayout(
  entries: readonly HeaderEntry[],
  file: string,
  dataStart: number,
  fileBytes: number,
): void {
  const sorted = entries.toSorted((a, b) => a.offsetBytes - b.offsetBytes || a.lengthBytes - b.lengthBytes);
  let end = dataStart;
  let previous = 'the header';
  for (const { name, offsetBytes, lengthBytes } of sorted) {
    if (offsetBytes < end) {
      throw unreadable(file, `tensor ${name} overlaps ${previous} by ${end - offsetBytes} bytes`);
    }
    if (offsetBytes > end) {
      throw unreadable(
        file,
        `${offsetBytes - end} bytes between ${previous} and tensor ${name} belong to no tensor`,
      );
    }
    end = offsetBytes + lengthBytes;
    previous = `tensor ${name}`;
  }
  if (end > fileBytes)
    throw unreadable(file, `it is truncated: ${previous} ends at byte ${end} and the file at ${fileBytes}`);
  if (end < fileBytes)
    throw unreadable(file, `${fileBytes - end} bytes after ${previous} belong to no tensor`);
}

function unreadable(file: string, found: string, cause?: unknown): SdfpError {
  return new SdfpError('model_unreadable', `Cannot read ${file}: ${found}.`, { param: file, cause });
}
