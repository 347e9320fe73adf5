/** Positions are reserved in blocks, so that a run's shapes change rarely. The unused tail is masked by the bias. */
export const BLOCK_TOKENS = 64;

/** Rows are allocated few times, because that copies the others; those that are not used yet cost no memory. */
const ROWS_FACTOR = 4;
/** Memory is given back where less than one part in so many is used. */
const SHRINK_FACTOR = 4;

/** What the K and V tensors of a model look like. */
export interface KvShape {
  /** Cache slots: attention blocks. */
  readonly numSlots: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

/** One sequence's place in an arena. */
export interface KvRow {
  /** Among the arena's rows; the arena changes it when another row leaves. */
  readonly index: number;
  /** Valid positions. */
  length: number;
}

/** K and V of neighbouring rows, one tensor [rows, KV, P, D] per slot. */
export interface KvTensors {
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

/**
 * K and V of the sequences of about one length: one array per slot, [rows, KV, P, D] without gaps, so that any
 * neighbouring rows are the past of one run, and all of them of one batch. P = `capacity` is the longest row's, in blocks.
 */
export class KvArena {
  /** Largest P; rows that get longer move to another arena. */
  readonly roomTokens: number;
  readonly #shape: KvShape;
  readonly #rows: { index: number; length: number }[] = [];
  readonly #views: Map<string, KvTensors> = new Map();
  #allocatedRows = 0;
  /** Floats of each array that were ever written to; the rest is room that the system has not given memory to. */
  #touchedFloats = 0;
  #capacity = BLOCK_TOKENS;
  #arrays: KvTensors = { keys: [], values: [] };

  constructor(shape: KvShape, roomTokens: number) {
    this.#shape = shape;
    this.roomTokens = roomTokens;
  }

  /** P: positions that each row has room for at present. */
  get capacity(): number {
    return this.#capacity;
  }

  get rows(): readonly KvRow[] {
    return this.#rows;
  }

  /** Bytes of the rows in use, and of what earlier ones left behind. */
  get usage(): { readonly usedBytes: number; readonly freeBytes: number } {
    const bytesPerFloat = 2 * this.#shape.numSlots * Float32Array.BYTES_PER_ELEMENT;
    const used = this.#usedFloats;
    return { usedBytes: used * bytesPerFloat, freeBytes: (this.#touchedFloats - used) * bytesPerFloat };
  }

  /** A row without valid positions, behind the others. Its contents are finite but not cleared. */
  add(): KvRow {
    if (this.#rows.length === this.#allocatedRows)
      this.#allocate(Math.max(1, ROWS_FACTOR * this.#allocatedRows));
    const row = { index: this.#rows.length, length: 0 };
    this.#rows.push(row);
    this.#touch();
    return row;
  }

  /** Gives a row up; the last one takes its place. */
  remove(row: KvRow): void {
    const last = this.#rows.pop()!;
    if (last !== row) {
      const size = this.#floats(this.#capacity);
      for (const array of this.#all()) {
        array.copyWithin(row.index * size, last.index * size, (last.index + 1) * size);
      }
      last.index = row.index;
      this.#rows[row.index] = last;
    }
    if (this.#rows.length === 0) this.#setCapacity(BLOCK_TOKENS);
  }

  /** Gives memory back where little of it is in use: what is must be copied. */
  shrink(): void {
    if (this.#touchedFloats > SHRINK_FACTOR * this.#usedFloats) this.#allocate(this.#rows.length);
  }

  /** Grows P so that every row has room for `tokens`: the runtime has no strides, so all heads are moved apart. */
  reserve(tokens: number): void {
    if (tokens <= this.#capacity) return;
    const old = this.#capacity;
    this.#setCapacity(Math.ceil(tokens / BLOCK_TOKENS) * BLOCK_TOKENS);
    this.#touch();
    const { numKvHeads, headDim } = this.#shape;
    const arrays = this.#all();
    // From the last to the first, because each goes to where later ones were.
    for (const { index, length } of this.#rows.toReversed()) {
      for (let head = (index + 1) * numKvHeads - 1; head >= index * numKvHeads; head--) {
        const from = head * old * headDim;
        const to = head * this.#capacity * headDim;
        for (const array of arrays) array.copyWithin(to, from, from + length * headDim);
      }
    }
  }

  /** Where position `position` of a head of a row begins in the arrays, in floats. */
  offset({ index }: KvRow, head: number, position: number): number {
    const { numKvHeads, headDim } = this.#shape;
    return ((index * numKvHeads + head) * this.#capacity + position) * headDim;
  }

  /** All rows, [rows, KV, P, D] and what is allocated behind it. */
  get arrays(): KvTensors {
    return this.#arrays;
  }

  /** Rows `first` to `end` - 1, [end - first, KV, P, D] each; valid until a row comes, goes or grows. */
  tensors(first: number, end: number): KvTensors {
    const key = `${first} ${end}`;
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    const size = this.#floats(this.#capacity);
    const cut = (arrays: readonly Float32Array[]) =>
      arrays.map((array) => array.subarray(first * size, end * size));
    const made = { keys: cut(this.#arrays.keys), values: cut(this.#arrays.values) };
    this.#views.set(key, made);
    return made;
  }

  #allocate(rows: number): void {
    const kept = this.#usedFloats;
    const resized = (array: Float32Array | undefined) => {
      const made = new Float32Array(rows * this.#floats(this.roomTokens));
      if (array !== undefined) made.set(array.subarray(0, kept));
      return made;
    };
    const tensors = (arrays: readonly Float32Array[]) =>
      Array.from({ length: this.#shape.numSlots }, (_, slot) => resized(arrays[slot]));
    this.#arrays = { keys: tensors(this.#arrays.keys), values: tensors(this.#arrays.values) };
    this.#allocatedRows = rows;
    this.#touchedFloats = kept;
    this.#views.clear();
  }

  get #usedFloats(): number {
    return this.#rows.length * this.#floats(this.#capacity);
  }

  #touch(): void {
    this.#touchedFloats = Math.max(this.#touchedFloats, this.#usedFloats);
  }

  #setCapacity(tokens: number): void {
    this.#capacity = tokens;
    this.#views.clear();
  }

  /** Floats of a row of one slot with room for so many positions. */
  #floats(tokens: number): number {
    return this.#shape.numKvHeads * tokens * this.#shape.headDim;
  }

  #all(): readonly Float32Array[] {
    return [...this.#arrays.keys, ...this.#arrays.values];
  }
}
