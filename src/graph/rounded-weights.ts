import type { ModelFolder } from '../hf/types.ts';
import type { GraphBuilder, Value } from '../onnx/index.ts';
import { BITS, BLOCK_COLUMNS, blockBytes, type RoundedFile, type RoundedMatrix } from '../quant/index.ts';
import { Weights } from './weights.ts';

/** Weights whose products are rounded; norms and biases are the checkpoint's. */
export class RoundedWeights extends Weights {
  readonly #g: GraphBuilder;
  readonly #layout: RoundedFile;

  constructor(g: GraphBuilder, folder: ModelFolder, layout: RoundedFile) {
    super(g, folder);
    this.#g = g;
    this.#layout = layout;
  }

  /** The same as {@linkcode Weights.multiply} but for the rounding, of `x` too. */
  override multiply(x: Value, names: readonly string[]): Value {
    const { rounding, matrices } = this.#layout;
    const matrix = matrices.find(({ sources }) => sources.join() === names.join());
    if (matrix === undefined) throw new TypeError(`Rounding: the layout has no product of ${names.join()}.`);
    const { packed, scales } = this.#values(matrix);
    return this.#g.op.MatMulNBits(x, packed, scales, {
      K: matrix.columns,
      N: matrix.rows,
      bits: BITS[rounding],
      block_size: BLOCK_COLUMNS[rounding],
      accuracy_level: 4,
    });
  }

  #values({ name, rows, blocks, packed, scales }: RoundedMatrix): { packed: Value; scales: Value } {
    const { file, rounding } = this.#layout;
    return {
      packed: this.#g.initializer(
        `${name}.${rounding}.packed`,
        'uint8',
        [rows, blocks, blockBytes(rounding)],
        {
          kind: 'external',
          file,
          ...packed,
        },
      ),
      scales: this.#g.initializer(`${name}.${rounding}.scales`, 'float32', [rows, blocks], {
        kind: 'external',
        file,
        ...scales,
      }),
    };
  }
}
