/**
 * The tokens of a draft whose LM head has rows for some tokens only. All others have no chance: with a logit of
 * -Infinity they are never drawn, whatever the temperature, and have probability 0 in rejection verification.
 */
export class DraftVocabulary {
  readonly #ids: readonly number[]; // [V']
  readonly #vocabSize: number;
  /** [rows, V]: -Infinity wherever no token of the draft is, always. */
  #spread = new Float32Array(0);

  constructor(ids: readonly number[], vocabSize: number) {
    this.#ids = ids;
    this.#vocabSize = vocabSize;
  }

  /** Logits [rows, V'] at their tokens of [rows, V]; valid until the next call. */
  spread(logits: Float32Array): Float32Array {
    const [ids, width, vocabSize] = [this.#ids, this.#ids.length, this.#vocabSize];
    const rows = logits.length / width;
    if (this.#spread.length < rows * vocabSize) {
      this.#spread = new Float32Array(rows * vocabSize).fill(Number.NEGATIVE_INFINITY);
    }
    const into = this.#spread.subarray(0, rows * vocabSize);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) into[row * vocabSize + ids[i]!] = logits[row * width + i]!;
    }
    return into;
  }
}
