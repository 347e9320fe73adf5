import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import process from 'node:process';
import { type ModelConfig, tensorShapes } from '../../hf/index.ts';
import { SdfpError } from '../../lib/errors.ts';
import { layoutReducedHead, layoutRoundedFile, type RoundedFile } from '../../quant/index.ts';
import { reducedTokens } from './drafts.ts';

/** Per weight: bf16 as stored, float32 as widened, float32 as packed; the session frees the first two late or in pieces. */
const WEIGHT_BYTES = 2 + 4 + 4;
/** What a process takes without a model. With it the figure is 1.6 GB for 135 million weights and 6.7 GB for 596; 1.56 and 6.05 were measured. */
const PROCESS_BYTES = 100e6;

/** Bytes that a benchmark of a shape needs. */
export interface Room {
  /** Of memory, while its largest session is opened. */
  readonly memoryBytes: number;
  /** Of files. */
  readonly diskBytes: number;
}

/** Weights of the model, all tensors together; a tied head counts once. */
export function countWeights(config: ModelConfig): number {
  const sizes = [...tensorShapes(config).values()].map((shape) => shape.reduce((a, b) => a * b, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What a shape takes. */
export function roomOf(config: ModelConfig): Room {
  const weights = countWeights(config);
  const files = listRoundedFiles(config);
  const bytesOf = (some: readonly RoundedFile[]) => some.reduce((sum, { bytes }) => sum + bytes, 0);
  // A draft loads the files of its rounding, at most all of them.
  const loaded = (['int8', 'int4'] as const).map((rounding) =>
    bytesOf(files.filter((file) => file.rounding === rounding)),
  );
  const memoryBytes = WEIGHT_BYTES * weights + Math.max(...loaded) + PROCESS_BYTES;
  return { memoryBytes, diskBytes: 2 * weights + bytesOf(files) };
}

/** Rounded weights that the drafts of a shape use. */
export function listRoundedFiles(config: ModelConfig): RoundedFile[] {
  const numTokens = reducedTokens(config.vocabSize);
  return (['int8', 'int4'] as const).flatMap((rounding) => [
    layoutRoundedFile(config, rounding),
    layoutReducedHead(config, rounding, numTokens),
  ]);
}

/** Throws SdfpError `invalid_request` with both figures where memory or the disk of `dir` has no room for the shape. */
export async function refuseTooLarge(config: ModelConfig, dir: string): Promise<void> {
  const { memoryBytes, diskBytes } = roomOf(config);
  // The second knows of containers' limits, where the runtime has it.
  const freeMemory = Math.min(freemem(), process.availableMemory?.() ?? Number.POSITIVE_INFINITY);
  const { bavail, bsize } = await statfs(dir);
  refuse('memory', memoryBytes, freeMemory);
  refuse(`disk space for ${dir}`, diskBytes, bavail * bsize);
}

function refuse(what: string, neededBytes: number, freeBytes: number): void {
  if (neededBytes <= freeBytes) return;
  const message = `measuring this shape: ${megabytes(freeBytes)} of ${what} are free, needs about ${megabytes(neededBytes)}`;
  throw new SdfpError('invalid_request', message, { param: 'shape' });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
