import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelFolder, parseConfig, readModelFolder, tensorShapes } from '../../hf/index.ts';
import { encodeSafetensorsHeader } from '../../hf/safetensors-header.ts';
import { CONFIG_FILE } from '../../lib/model-files.ts';
import { RandomStream } from '../../lib/random.ts';
import { BITS, type RoundedFile } from '../../quant/index.ts';

const WEIGHTS_FILE = 'model.safetensors';
const SEED = 1;
const CHUNK_BYTES = 4 * 2 ** 20;
/** Size of the weights, about that of a fresh model's; numbers too small for float32 would be slow to compute with. */
const WEIGHT_SIZE = 0.02;

/** Fills a chunk of a tensor. */
type Fill = (chunk: Uint8Array<ArrayBuffer>, random: RandomStream) => void;

interface Part {
  readonly lengthBytes: number;
  readonly fill: Fill;
}

/** How the work is ended, and followed; `share` of a file that is written, 0..1. */
export interface WriteRandomOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

/**
 * Writes a model folder into the empty folder `dir`: the config and random bf16 weights, the same ones each time.
 * `config` is the content of a config.json. Throws SdfpError as `readModelFolder` does.
 */
export async function writeRandomModel(
  dir: string,
  config: unknown,
  options: WriteRandomOptions,
): Promise<ModelFolder> {
  await writeFile(join(dir, CONFIG_FILE), JSON.stringify(config));
  const tensors = [...tensorShapes(parseConfig(config))].map(([name, shape]) => ({
    name,
    dtype: 'BF16' as const,
    shape,
    lengthBytes: 2 * shape.reduce((product, size) => product * size, 1),
    fill: name.endsWith('norm.weight') ? fillOnes : fillWeights,
  }));
  await writeParts(join(dir, WEIGHTS_FILE), encodeSafetensorsHeader(tensors), tensors, options);
  return readModelFolder(dir);
}

/** Writes a file of rounded weights into `dir` with random numbers in it: rounding takes long and would give no others. */
export async function writeRandomRounded(
  dir: string,
  { file, rounding, header, matrices }: RoundedFile,
  options: WriteRandomOptions,
): Promise<void> {
  const scale = WEIGHT_SIZE / 2 ** (BITS[rounding] - 1);
  const parts = matrices.flatMap(({ packed, scales }): Part[] => [
    { lengthBytes: packed.lengthBytes, fill: fillBits },
    { lengthBytes: scales.lengthBytes, fill: (chunk) => asFloats(chunk).fill(scale) },
  ]);
  await writeParts(join(dir, file), header, parts, options);
}

async function writeParts(
  path: string,
  header: Uint8Array,
  parts: readonly Part[],
  { signal, onProgress }: WriteRandomOptions,
): Promise<void> {
  const random = new RandomStream(SEED);
  const chunk = new Uint8Array(CHUNK_BYTES);
  const totalBytes = parts.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  let doneBytes = 0;
  const file = await open(path, 'wx');
  try {
    await writeAll(file, header);
    for (const { lengthBytes, fill } of parts) {
      for (let left = lengthBytes; left > 0; left -= CHUNK_BYTES) {
        signal.throwIfAborted();
        const bytes = chunk.subarray(0, Math.min(left, CHUNK_BYTES));
        fill(bytes, random);
        await writeAll(file, bytes);
        doneBytes += bytes.length;
        onProgress(doneBytes / totalBytes);
      }
    }
  } finally {
    await file.close();
  }
}

/** A write may take fewer bytes than it is given. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}

/** bf16: a random sign and fraction with the exponent of 1/64, so that every size is from 1/64 to 1/32. */
function fillWeights(chunk: Uint8Array<ArrayBuffer>, random: RandomStream): void {
  const values = new Uint16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2);
  const exponent = (127 - 6) << 7;
  for (let i = 0; i < values.length; i++) values[i] = (random.nextBits() & 0x807f) | exponent;
}

function fillOnes(chunk: Uint8Array<ArrayBuffer>): void {
  new Uint16Array(chunk.buffer, chunk.byteOffset, chunk.length / 2).fill(0x3f80);
}

function fillBits(chunk: Uint8Array<ArrayBuffer>, random: RandomStream): void {
  for (let i = 0; i < chunk.length; i++) chunk[i] = random.nextBits();
}

function asFloats(chunk: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(chunk.buffer, chunk.byteOffset, chunk.length / 4);
}
