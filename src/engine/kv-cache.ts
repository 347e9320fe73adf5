import type { KvArena, KvRow } from './kv-arena.ts';
import type { KvPool } from './kv-pool.ts';
import type { KvSnapshot } from './model.ts';

/** New K and V rows of a run: [B, KV, 2 * slots.length * width, D], k then v of each written slot. */
export interface NewRows {
  readonly data: Float32Array;
  /** New positions of every sequence of the run, padding included. */
  readonly width: number;
  /** Slots that were written; a draft skips some, which keep what they have. */
  readonly slots: readonly number[];
}

/** K and V of one sequence: a row of an arena. */
export class KvCache {
  readonly #pool: KvPool;
  #arena: KvArena;
  #row: KvRow;

  /** Empty, with room for `tokens` positions at once; more is made as they come. */
  constructor(pool: KvPool, tokens = 0) {
    this.#pool = pool;
    this.#arena = pool.arenaFor(tokens);
    this.#row = this.#arena.add();
    this.#arena.reserve(tokens);
  }

  /** Valid positions. */
  get length(): number {
    return this.#row.length;
  }

  /** Where it is at present. */
  get place(): { readonly arena: KvArena; readonly index: number } {
    return { arena: this.#arena, index: this.#row.index };
  }

  /** Appends the first `count` positions that the run made for its sequence number `index`. */
  append({ data, width, slots }: NewRows, index: number, count: number): void {
    this.#reserve(this.length + count);
    const { numKvHeads, headDim } = this.#pool.shape;
    const { keys, values } = this.#arena.arrays;
    const step = width * headDim;
    let source = index * numKvHeads * 2 * slots.length * step;
    for (let head = 0; head < numKvHeads; head++) {
      const target = this.#arena.offset(this.#row, head, this.length);
      for (const slot of slots) {
        copyFloats(data, source, keys[slot]!, target, count * headDim);
        copyFloats(data, source + step, values[slot]!, target, count * headDim);
        source += 2 * step;
      }
    }
    this.#row.length += count;
  }

  /** Keeps the first `toLength` positions; the room stays. */
  trim(toLength: number): void {
    if (toLength < 0 || toLength > this.length) {
      throw new RangeError(`cannot trim the KV cache to ${toLength} positions: it has ${this.length}`);
    }
    this.#row.length = toLength;
  }

  /** Bytes of the valid positions. */
  get bytes(): number {
    const { numSlots, numKvHeads, headDim } = this.#pool.shape;
    return 2 * numSlots * numKvHeads * this.length * headDim * Float32Array.BYTES_PER_ELEMENT;
  }

  /** A copy of the valid positions, [KV, length, D] per slot. */
  snapshot(): KvSnapshot {
    const { numKvHeads, headDim } = this.#pool.shape;
    const { length } = this;
    const size = length * headDim;
    const copy = (array: Float32Array) => {
      const copied = new Float32Array(numKvHeads * size);
      for (let head = 0; head < numKvHeads; head++) {
        const start = this.#arena.offset(this.#row, head, 0);
        copied.set(array.subarray(start, start + size), head * size);
      }
      return copied;
    };
    const { keys, values } = this.#arena.arrays;
    return { length, keys: keys.map(copy), values: values.map(copy) };
  }

  /** Takes the first `length` positions of a snapshot over; the cache must be empty. */
  restore(snapshot: KvSnapshot, length: number): void {
    if (this.length > 0 || length > snapshot.length) {
      throw new RangeError(`cannot restore ${length} of ${snapshot.length} positions behind ${this.length}`);
    }
    this.#reserve(length);
    const { numKvHeads, headDim } = this.#pool.shape;
    const { keys, values } = this.#arena.arrays;
    for (let head = 0; head < numKvHeads; head++) {
      const from = head * snapshot.length * headDim;
      const to = this.#arena.offset(this.#row, head, 0);
      for (let slot = 0; slot < keys.length; slot++) {
        keys[slot]!.set(snapshot.keys[slot]!.subarray(from, from + length * headDim), to);
        values[slot]!.set(snapshot.values[slot]!.subarray(from, from + length * headDim), to);
      }
    }
    this.#row.length = length;
  }

  /** Gives the row up. The cache must not be used afterwards. */
  dispose(): void {
    this.#arena.remove(this.#row);
    this.#pool.collect();
  }

  #reserve(tokens: number): void {
    if (tokens > this.#arena.roomTokens) this.#moveTo(this.#pool.arenaFor(tokens));
    this.#arena.reserve(tokens);
  }

  #moveTo(arena: KvArena): void {
    const [old, oldRow] = [this.#arena, this.#row];
    const row = arena.add();
    arena.reserve(oldRow.length);
    const { numKvHeads, numSlots, headDim } = this.#pool.shape;
    for (let head = 0; head < numKvHeads; head++) {
      const [from, to] = [old.offset(oldRow, head, 0), arena.offset(row, head, 0)];
      const end = from + oldRow.length * headDim;
      for (let slot = 0; slot < numSlots; slot++) {
        arena.arrays.keys[slot]!.set(old.arrays.keys[slot]!.subarray(from, end), to);
        arena.arrays.values[slot]!.set(old.arrays.values[slot]!.subarray(from, end), to);
      }
    }
    row.length = oldRow.length;
    old.remove(oldRow);
    [this.#arena, this.#row] = [arena, row];
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
