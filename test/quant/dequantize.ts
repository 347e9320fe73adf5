import { BITS, BLOCK_COLUMNS, type PackedMatrix } from '../../src/quant/round.ts';
import type { Rounding } from '../../src/quant/types.ts';

/** The plain meaning of a packed matrix, [N, K] row by row: scale * (code - middle). */
export function dequantize(
  { packed, scales }: PackedMatrix,
  rows: number,
  columns: number,
  rounding: Rounding,
): Float32Array {
  const size = BLOCK_COLUMNS[rounding];
  const blocks = scales.length / rows;
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const block = row * blocks + Math.floor(column / size);
    const index = block * size + (column % size);
    const code = BITS[rounding] === 8 ? packed[index]! : (packed[index >> 1]! >> (4 * (index % 2))) & 15;
    return scales[block]! * (code - 2 ** (BITS[rounding] - 1));
  });
}
