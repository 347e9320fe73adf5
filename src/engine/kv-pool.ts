/** Positions are reserved in blocks, so that a run's shapes change rarely. The unused tail is masked by the bias. */
export const BLOCK_TOKENS = 64;

/** What the K and V tensors of a model look like. */
export interface KvShape {
  /** Cache slots: attention blocks. */
  readonly numSlots: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

/** Memory of one sequence's cache: an array per slot with room for [KV, roomTokens, D]. */
export interface KvBuffers {
  readonly roomTokens: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

/** Free buffers beyond this are left to the garbage collector. */
const MAX_FREE_BYTES = 256 * 2 ** 20;

/** Keeps the buffers of ended sequences for later ones. Rooms are blocks times a power of two, so that few sizes occur. */
export class KvPool {
  readonly shape: KvShape;
  readonly #free: Map<number, KvBuffers[]> = new Map();
  readonly #maxFreeBytes: number;
  #freeBytes = 0;
  #usedBytes = 0;

  constructor(shape: KvShape, maxFreeBytes: number = MAX_FREE_BYTES) {
    this.shape = shape;
    this.#maxFreeBytes = maxFreeBytes;
  }

  /** Bytes of the buffers that caches hold, and of those kept for later ones. */
  get usage(): { readonly usedBytes: number; readonly freeBytes: number } {
    return { usedBytes: this.#usedBytes, freeBytes: this.#freeBytes };
  }

  /** Buffers with room for `tokens` positions or more. Their contents are finite but not cleared. */
  acquire(tokens: number): KvBuffers {
    const roomTokens = BLOCK_TOKENS * 2 ** Math.ceil(Math.log2(tokens / BLOCK_TOKENS));
    const bytes = this.#bytesOf(roomTokens);
    this.#usedBytes += bytes;
    const kept = this.#free.get(roomTokens)?.pop();
    if (kept === undefined) return this.#allocate(roomTokens);
    this.#freeBytes -= bytes;
    return kept;
  }

  release(buffers: KvBuffers): void {
    const bytes = this.#bytesOf(buffers.roomTokens);
    this.#usedBytes -= bytes;
    if (this.#freeBytes + bytes > this.#maxFreeBytes) return;
    this.#freeBytes += bytes;
    const list = this.#free.get(buffers.roomTokens);
    if (list === undefined) this.#free.set(buffers.roomTokens, [buffers]);
    else list.push(buffers);
  }

  /** Forgets the free buffers. */
  dispose(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }

  #allocate(roomTokens: number): KvBuffers {
    const { numSlots, numKvHeads, headDim } = this.shape;
    const tensors = () =>
      Array.from({ length: numSlots }, () => new Float32Array(numKvHeads * roomTokens * headDim));
    return { roomTokens, keys: tensors(), values: tensors() };
  }

  #bytesOf(roomTokens: number): number {
    const { numSlots, numKvHeads, headDim } = this.shape;
    return 2 * numSlots * numKvHeads * roomTokens * headDim * Float32Array.BYTES_PER_ELEMENT;
  }
}
