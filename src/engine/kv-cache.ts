import { BLOCK_TOKENS, type KvBuffers, type KvPool } from './kv-pool.ts';

/** K and V of one sequence, one tensor [KV, P, D] per slot; P = `capacity`, a multiple of the block. */
export class KvCache {
  readonly #pool: KvPool;
  #buffers: KvBuffers;
  #capacity = BLOCK_TOKENS;
  #length = 0;
  #keys: readonly Float32Array[];
  #values: readonly Float32Array[];

  constructor(pool: KvPool) {
    this.#pool = pool;
    this.#buffers = pool.acquire(BLOCK_TOKENS);
    this.#keys = this.#views(this.#buffers.keys);
    this.#values = this.#views(this.#buffers.values);
  }

  /** Valid positions. */
  get length(): number {
    return this.#length;
  }

  /** P: positions that the tensors have room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Past keys by slot, [KV, P, D] each. The arrays change when the capacity does. */
  get keys(): readonly Float32Array[] {
    return this.#keys;
  }

  /** Past values by slot, [KV, P, D] each. */
  get values(): readonly Float32Array[] {
    return this.#values;
  }

  /**
   * Appends `count` positions. `rows` is a run's output [KV, 2 * slots.length * count, D]: k then v of each written
   * slot. Slots that are not named (a draft skips them) keep what they have there.
   */
  append(rows: Float32Array, count: number, slots: readonly number[]): void {
    this.#reserve(this.#length + count);
    const { numKvHeads, headDim } = this.#pool.shape;
    const rowFloats = count * headDim;
    let source = 0;
    for (let head = 0; head < numKvHeads; head++) {
      const target = (head * this.#capacity + this.#length) * headDim;
      for (const slot of slots) {
        copyFloats(rows, source, this.#keys[slot]!, target, rowFloats);
        copyFloats(rows, source + rowFloats, this.#values[slot]!, target, rowFloats);
        source += 2 * rowFloats;
      }
    }
    this.#length += count;
  }

  /** Keeps the first `toLength` positions; capacity stays. */
  trim(toLength: number): void {
    if (toLength < 0 || toLength > this.#length) {
      throw new RangeError(`cannot trim the KV cache to ${toLength} positions: it has ${this.#length}`);
    }
    this.#length = toLength;
  }

  /** Returns the buffers to the pool. The cache must not be used afterwards. */
  dispose(): void {
    this.#pool.release(this.#buffers);
    this.#keys = [];
    this.#values = [];
    this.#length = 0;
  }

  /** Grows P to the block that holds `tokens`: the runtime has no strides, so the heads are moved apart. */
  #reserve(tokens: number): void {
    if (tokens <= this.#capacity) return;
    const capacity = Math.ceil(tokens / BLOCK_TOKENS) * BLOCK_TOKENS;
    const [old, oldCapacity] = [this.#buffers, this.#capacity];
    this.#buffers = capacity <= old.roomTokens ? old : this.#pool.acquire(capacity);
    this.#capacity = capacity;
    this.#keys = this.#views(this.#buffers.keys);
    this.#values = this.#views(this.#buffers.values);
    for (let slot = 0; slot < this.#keys.length; slot++) {
      this.#moveHeads(old.keys[slot]!, oldCapacity, this.#keys[slot]!);
      this.#moveHeads(old.values[slot]!, oldCapacity, this.#values[slot]!);
    }
    if (this.#buffers !== old) this.#pool.release(old);
  }

  /** From the last head to the first, because both arrays may be the same memory. */
  #moveHeads(from: Float32Array, fromCapacity: number, to: Float32Array): void {
    const { numKvHeads, headDim } = this.#pool.shape;
    for (let head = numKvHeads - 1; head >= 0; head--) {
      const start = head * fromCapacity * headDim;
      to.set(from.subarray(start, start + this.#length * headDim), head * this.#capacity * headDim);
    }
  }

  #views(arrays: readonly Float32Array[]): Float32Array[] {
    const { numKvHeads, headDim } = this.#pool.shape;
    return arrays.map((array) => array.subarray(0, numKvHeads * this.#capacity * headDim));
  }
}

/** A few dozen floats are copied faster one by one than by `set`, which needs a view of its source. */
function copyFloats(
  from: Float32Array,
  fromStart: number,
  to: Float32Array,
  toStart: number,
  count: number,
): void {
  if (count > 256) {
    to.set(from.subarray(fromStart, fromStart + count), toStart);
    return;
  }
  for (let i = 0; i < count; i++) to[toStart + i] = from[fromStart + i]!;
}
