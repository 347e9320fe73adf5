import { KvArena, type KvShape } from './kv-arena.ts';

/** Memory of rows that nobody uses beyond this is left to the garbage collector. */
const MAX_FREE_BYTES = 256 * 2 ** 20;

/** Room of the smallest arena; each next one has this many times as much. */
const SMALLEST_ROOM = 256;
const ROOM_FACTOR = 4;

/**
 * The arenas of a model, by length: few, so that most sequences that decode at once share one and with it their runs. A
 * row's room costs no memory before it is written to.
 */
export class KvPool {
  readonly shape: KvShape;
  readonly #arenas: Map<number, KvArena> = new Map();
  readonly #maxFreeBytes: number;

  constructor(shape: KvShape, maxFreeBytes: number = MAX_FREE_BYTES) {
    this.shape = shape;
    this.#maxFreeBytes = maxFreeBytes;
  }

  /** Bytes of the rows that caches hold, and of what earlier ones left behind. */
  get usage(): { readonly usedBytes: number; readonly freeBytes: number } {
    let [usedBytes, freeBytes] = [0, 0];
    for (const { usage } of this.#arenas.values()) {
      usedBytes += usage.usedBytes;
      freeBytes += usage.freeBytes;
    }
    return { usedBytes, freeBytes };
  }

  /** The arena for sequences of `tokens` positions. */
  arenaFor(tokens: number): KvArena {
    let roomTokens = SMALLEST_ROOM;
    while (roomTokens < tokens) roomTokens *= ROOM_FACTOR;
    const arena = this.#arenas.get(roomTokens) ?? new KvArena(this.shape, roomTokens);
    this.#arenas.set(roomTokens, arena);
    return arena;
  }

  /** Gives memory back if too much of it waits for use. */
  collect(): void {
    if (this.usage.freeBytes <= this.#maxFreeBytes) return;
    for (const arena of this.#arenas.values()) arena.shrink();
  }

  /** Forgets the arenas; their sequences must have ended. */
  dispose(): void {
    this.#arenas.clear();
  }
}
