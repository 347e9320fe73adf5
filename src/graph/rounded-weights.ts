import type { ModelFolder } from '../hf/types.ts';
import type { GraphBuilder, Value } from '../onnx/index.ts';
import {
  BITS,
  BLOCK_COLUMNS,
  blockBytes,
  layoutReducedHead,
  layoutRoundedFile,
  layoutTargetFile,
  type RoundedFile,
  type RoundedMatrix,
  type Rounding,
} from '../quant/index.ts';
import { Weights } from './weights.ts';

/**
 * How a rounded product computes, com.microsoft MatMulNBits' `accuracy_level`: 1 in float32, so that a row's result depends
 * on how many rows a run has by no more than float32 rounds; 4 with the input rounded to 8 bits, several times as fast and good for guesses.
 */
const ACCURACY_LEVELS = { float32: 1, int8: 4 } as const;

/** Weights whose products are rounded; norms and biases are the checkpoint's. */
export class RoundedWeights extends Weights {
  readonly #g: GraphBuilder;
  readonly #layout: RoundedFile;
  /** By the names of what it joins. */
  readonly #matrices: ReadonlyMap<string, RoundedMatrix>;
  readonly #accuracyLevel: number;

  private constructor(
    g: GraphBuilder,
    folder: ModelFolder,
    layout: RoundedFile,
    input: keyof typeof ACCURACY_LEVELS,
  ) {
    super(g, folder);
    this.#g = g;
    this.#layout = layout;
    this.#matrices = new Map(layout.matrices.map((matrix) => [matrix.sources.join(), matrix]));
    this.#accuracyLevel = ACCURACY_LEVELS[input];
  }

  /** Of a target that is rounded itself. */
  static ofTarget(g: GraphBuilder, folder: ModelFolder): RoundedWeights {
    return new RoundedWeights(g, folder, layoutTargetFile(folder), 'float32');
  }

  /** Of a draft, which rounds inputs too. It shares the weights of a target that has the same rounding. */
  static ofDraft(g: GraphBuilder, folder: ModelFolder, rounding: Rounding): RoundedWeights {
    const isShared = folder.precision === rounding;
    const layout = isShared ? layoutTargetFile(folder) : layoutRoundedFile(folder.config, rounding);
    return new RoundedWeights(g, folder, layout, 'int8');
  }

  /** Of a draft: the LM head alone, with rows for `numTokens` tokens. */
  static ofReducedHead(
    g: GraphBuilder,
    folder: ModelFolder,
    rounding: Rounding,
    numTokens: number,
  ): RoundedWeights {
    return new RoundedWeights(g, folder, layoutReducedHead(folder.config, rounding, numTokens), 'int8');
  }

  /** The same as {@linkcode Weights.multiply} but for the rounding. */
  override multiply(x: Value, names: readonly string[]): Value {
    const { rounding } = this.#layout;
    const matrix = this.#matrices.get(names.join());
    if (matrix === undefined) throw new TypeError(`Rounding: the layout has no product of ${names.join()}.`);
    const { packed, scales } = this.#values(matrix);
    return this.#g.op.MatMulNBits(x, packed, scales, {
      K: matrix.columns,
      N: matrix.rows,
      bits: BITS[rounding],
      block_size: BLOCK_COLUMNS[rounding],
      accuracy_level: this.#accuracyLevel,
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
