import type { SamplingParams } from './types.ts';

/** Bins of the logits' distance to the highest one: 64 logits far, finer than neighbouring candidates usually are. */
const BINS_PER_LOGIT = 16;
const NUM_BINS = 1024;

interface Bin {
  readonly index: number;
  /** Weight that the ids of this bin must add. */
  readonly missing: number;
}

/**
 * Picks the tokens that `top_k`, then `top_p`, then `min_p` leave. Equal logits are ranked by id, lowest first, so the
 * choice is the same on every run. Nothing is sorted: a histogram and a quickselect find each threshold in linear time.
 */
export class TokenFilter {
  /** Candidate ids, reordered in place; [V]. */
  readonly #ids: Int32Array;
  /** Weight of each token by id; [V]. */
  readonly #weights: Float64Array;
  /** Bin of each token by id; [V]. */
  readonly #bins: Uint16Array;
  /** Ids of one bin; up to [V]. */
  readonly #edge: Int32Array;
  readonly #mass: Float64Array = new Float64Array(NUM_BINS);
  #logits: Float32Array = new Float32Array(0);

  constructor(vocabSize: number) {
    this.#ids = new Int32Array(vocabSize);
    this.#weights = new Float64Array(vocabSize);
    this.#bins = new Uint16Array(vocabSize);
    this.#edge = new Int32Array(vocabSize);
  }

  /** Kept ids in no particular order (a view, valid until the next call); null where no filter is on. */
  select(logits: Float32Array, best: number, params: SamplingParams): Int32Array | null {
    const { topK, topP, minP, temperature } = params;
    const hasTopK = topK > 0 && topK < logits.length;
    if (!hasTopK && topP >= 1 && minP <= 0) return null;
    this.#logits = logits;
    const highest = logits[best]!;
    let count = this.#fillIds(logits.length);
    if (hasTopK) count = this.#keepHeaviest(count, highest, topK, null);
    if (topP < 1) count = this.#keepMass(count, highest, temperature, topP);
    if (minP > 0) count = this.#keepAbove(count, highest + temperature * Math.log(minP));
    return this.#ids.subarray(0, count);
  }

  #fillIds(vocabSize: number): number {
    for (let id = 0; id < vocabSize; id++) this.#ids[id] = id;
    return vocabSize;
  }

  /** `top_p`: the fewest most likely tokens whose probability reaches `share`. */
  #keepMass(count: number, highest: number, temperature: number, share: number): number {
    const [ids, weights, logits] = [this.#ids, this.#weights, this.#logits];
    let total = 0;
    for (let i = 0; i < count; i++) {
      const id = ids[i]!;
      const weight = Math.exp((logits[id]! - highest) / temperature);
      weights[id] = weight;
      total += weight;
    }
    return this.#keepHeaviest(count, highest, share * total, weights);
  }

  /** `min_p`: tokens whose probability is at least `minP` times the best one's. */
  #keepAbove(count: number, threshold: number): number {
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!;
      if (this.#logits[id]! >= threshold) this.#ids[kept++] = id;
    }
    return kept;
  }

  /**
   * Moves the fewest highest-ranked ids whose weights add up to `wanted` to the front; at least one. Returns how many.
   * A histogram of the logits finds the bin where the sum is reached; only ids of that bin are compared.
   */
  #keepHeaviest(count: number, highest: number, wanted: number, weights: Float64Array | null): number {
    const ids = this.#ids;
    const bin = this.#findBin(count, highest, wanted, weights);
    let [kept, onEdge] = [0, 0];
    for (let i = 0; i < count; i++) {
      const id = ids[i]!;
      const other = this.#bins[id]!;
      if (other < bin.index) ids[kept++] = id;
      else if (other === bin.index) this.#edge[onEdge++] = id;
    }
    ids.set(this.#edge.subarray(0, onEdge), kept);
    return this.#selectWithin(kept, kept + onEdge, bin.missing, weights);
  }

  /** The bin in which the weights, added up from the highest logit down, reach `wanted`, and what it has to add to it. */
  #findBin(count: number, highest: number, wanted: number, weights: Float64Array | null): Bin {
    const [ids, bins, logits] = [this.#ids, this.#bins, this.#logits];
    const mass = this.#mass.fill(0);
    let last = 0;
    for (let i = 0; i < count; i++) {
      const id = ids[i]!;
      const index = Math.min(NUM_BINS - 1, (highest - logits[id]!) * BINS_PER_LOGIT) | 0;
      bins[id] = index;
      mass[index]! += weights === null ? 1 : weights[id]!;
      if (index > last) last = index;
    }
    let [index, missing] = [0, wanted];
    while (index < last && mass[index]! < missing) missing -= mass[index++]!;
    return { index, missing };
  }

  /** Weighted quickselect of [low, high): returns the end of the fewest ids from `low` on that weigh `wanted`. */
  #selectWithin(start: number, end: number, wanted: number, weights: Float64Array | null): number {
    let [low, high, missing] = [start, end, wanted];
    while (high - low > 1) {
      const middle = this.#partition(low, high);
      let weight = 0;
      for (let i = low; i < middle; i++) weight += weights === null ? 1 : weights[this.#ids[i]!]!;
      if (weight >= missing) high = middle;
      else {
        missing -= weight;
        low = middle;
      }
    }
    return high;
  }

  /** Hoare's partition of [low, high), at least two ids: all before the result rank above all from it on; neither side is empty. */
  #partition(low: number, high: number): number {
    const ids = this.#ids;
    const pivot = this.#medianOfThree(low, high);
    let [i, j] = [low - 1, high];
    for (;;) {
      do i++;
      while (this.#ranksAbove(ids[i]!, pivot));
      do j--;
      while (this.#ranksAbove(pivot, ids[j]!));
      if (i >= j) return j + 1 === high ? j : j + 1;
      [ids[i], ids[j]] = [ids[j]!, ids[i]!];
    }
  }

  #medianOfThree(low: number, high: number): number {
    const [a, b, c] = [this.#ids[low]!, this.#ids[(low + high) >> 1]!, this.#ids[high - 1]!];
    const aFirst = this.#ranksAbove(a, b);
    if (aFirst === this.#ranksAbove(b, c)) return b;
    return aFirst === this.#ranksAbove(a, c) ? c : a;
  }

  #ranksAbove(a: number, b: number): boolean {
    const [x, y] = [this.#logits[a]!, this.#logits[b]!];
    return x > y || (x === y && a < b);
  }
}
