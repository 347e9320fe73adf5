import type { Rounding } from './types.ts';

/** A matrix [N, K] of rounded weights as com.microsoft `MatMulNBits` reads it. */
export interface PackedMatrix {
  /** [N, blocks, bytes per block]: unsigned numbers, the first of a byte in its low bits; the middle one stands for 0. */
  readonly packed: Uint8Array<ArrayBuffer>;
  /** [N, blocks] */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * Columns that share a scale. Small blocks agree better and cost more: at 4 bits they decide whether a draft agrees, at
 * 8 bits they do not, and 128 is a fifth faster than 32. ONNX Runtime's fast kernels take 16 to 256.
 */
export const BLOCK_COLUMNS: Readonly<Record<Rounding, number>> = { int4: 32, int8: 128 };

/** Bits of a rounded weight. */
export const BITS: Readonly<Record<Rounding, number>> = { int4: 4, int8: 8 };

/** Scales tried around the one that brings the largest weight of a block to the end of the range. */
const SCALE_STEPS = 4;
const SCALE_STEP = 0.25;

/**
 * Rounds the matrix `values` [N, `columns`], row-major, block by block to the nearest multiples of a scale. The scale is
 * the one with the least squared error of those tried (the search of llama.cpp's Q4_0 quantizer). The last block of a
 * row is filled up with zeros.
 */
export function roundMatrix(values: Float32Array, columns: number, rounding: Rounding): PackedMatrix {
  const rows = values.length / columns;
  const size = BLOCK_COLUMNS[rounding];
  const blocks = Math.ceil(columns / size);
  const blockBytes = (size * BITS[rounding]) / 8;
  const packed = new Uint8Array(rows * blocks * blockBytes);
  const scales = new Float32Array(rows * blocks);
  const block = new Float32Array(size);
  const codes = new Uint8Array(size);
  for (let index = 0; index < scales.length; index++) {
    const row = Math.floor(index / blocks);
    const from = (index % blocks) * size;
    const length = Math.min(size, columns - from);
    block.fill(0);
    block.set(values.subarray(row * columns + from, row * columns + from + length));
    scales[index] = roundBlock(block, codes, 2 ** (BITS[rounding] - 1));
    packCodes(codes, packed, index * blockBytes, BITS[rounding]);
  }
  return { packed, scales };
}

/** Writes the codes of `block`, numbers from 0 to 2 `half` - 1, and returns the scale of (code - half). */
function roundBlock(block: Float32Array, codes: Uint8Array, half: number): number {
  const extreme = extremeOf(block);
  if (extreme === 0) {
    codes.fill(half);
    return 0;
  }
  // The range reaches further down than up, so the extreme goes to its lower end whatever its sign.
  const inverse = Math.fround(bestInverse(block, extreme, half));
  let [product, square] = [0, 0];
  for (let i = 0; i < block.length; i++) {
    const level = nearestLevel(block[i]! * inverse, half);
    codes[i] = level + half;
    product += level * block[i]!;
    square += level * level;
  }
  return product / square;
}

/** 1 / scale with which the rounded block, at its best scale, is nearest to the block. */
function bestInverse(block: Float32Array, extreme: number, half: number): number {
  let [best, bestFit] = [-half / extreme, -1];
  // At 8 bits the first guess is as good as any.
  const steps = half > 8 ? 0 : SCALE_STEPS;
  for (let step = -steps; step <= steps; step++) {
    const inverse = -(half + step * SCALE_STEP) / extreme;
    const fit = fitOf(block, inverse, half);
    if (fit > bestFit) [best, bestFit] = [inverse, fit];
  }
  return best;
}

/** How much of the block's square the levels explain: |block|^2 minus the least squared error. */
function fitOf(block: Float32Array, inverse: number, half: number): number {
  let [product, square] = [0, 0];
  for (let i = 0; i < block.length; i++) {
    const level = nearestLevel(block[i]! * inverse, half);
    product += level * block[i]!;
    square += level * level;
  }
  return square === 0 ? 0 : (product * product) / square;
}

/** Cutting off a positive number's fraction is several times faster than Math.round. */
function nearestLevel(value: number, half: number): number {
  const code = (value + half + 0.5) | 0;
  return Math.max(0, Math.min(2 * half - 1, code)) - half;
}

/** The value of the largest size, with its sign. */
function extremeOf(block: Float32Array): number {
  let extreme = 0;
  for (let i = 0; i < block.length; i++) if (Math.abs(block[i]!) > Math.abs(extreme)) extreme = block[i]!;
  return extreme;
}

function packCodes(codes: Uint8Array, packed: Uint8Array, offset: number, bits: number): void {
  if (bits === 8) {
    packed.set(codes, offset);
    return;
  }
  for (let i = 0; i < codes.length; i += 2) packed[offset + (i >> 1)] = codes[i]! | (codes[i + 1]! << 4);
}
