import { describe, expect, test } from 'bun:test';
import type { KvTensors } from '../../src/engine/kv-arena.ts';
import { KvCache, type NewRows } from '../../src/engine/kv-cache.ts';
import { KvPool } from '../../src/engine/kv-pool.ts';
import { RandomStream } from '../../src/lib/random.ts';

const shape = { numSlots: 3, numKvHeads: 4, headDim: 4 };

/** A value that names its place. */
function entry(kind: number, slot: number, head: number, position: number, dim: number): number {
  return kind * 1e6 + slot * 1e5 + head * 1e4 + position * 10 + dim;
}

/** New rows as a run of one sequence gives them, [1, KV, 2 * slots * count, D]. */
function rowsOf(start: number, count: number, slots: readonly number[], mark = 0): NewRows {
  return { data: Float32Array.from(listRows(start, count, count, slots, mark)), width: count, slots };
}

/** Positions `start` to `start + count` - 1, and padding that must not be taken in. */
function listRows(
  start: number,
  count: number,
  width: number,
  slots: readonly number[],
  mark: number,
): number[] {
  const rows: number[] = [];
  for (let head = 0; head < shape.numKvHeads; head++)
    for (const slot of slots)
      for (const kind of [0, 1])
        for (let row = 0; row < width; row++)
          for (let dim = 0; dim < shape.headDim; dim++)
            rows.push(row < count ? entry(kind, slot, head, start + row, dim) + mark : -1);
  return rows;
}

/** K and V of a cache as the runtime sees them: one tensor [1, KV, P, D] per slot. */
function tensorsOf({ place: { arena, index } }: KvCache): KvTensors {
  return arena.tensors(index, index + 1);
}

function expectEntries(
  cache: KvCache,
  length: number,
  slots: readonly number[] = [0, 1, 2],
  mark = 0,
  start = 0,
): void {
  const { keys, values } = tensorsOf(cache);
  for (const slot of slots)
    for (let head = 0; head < shape.numKvHeads; head++)
      for (let position = start; position < length; position++)
        for (let dim = 0; dim < shape.headDim; dim++) {
          const at = (head * cache.place.arena.capacity + position) * shape.headDim + dim;
          const found = [keys[slot]![at], values[slot]![at]];
          const wanted = [0, 1].map((kind) => entry(kind, slot, head, position, dim) + mark);
          if (found[0] !== wanted[0] || found[1] !== wanted[1]) expect(found).toEqual(wanted);
        }
}

const ALL = [0, 1, 2];

describe('KvCache', () => {
  test('keeps every entry in its place while it grows over several blocks', () => {
    const cache = new KvCache(new KvPool(shape));
    let length = 0;
    for (const count of [1, 5, 57, 1, 1, 70, 128, 3, 200]) {
      cache.append(rowsOf(length, count, ALL), 0, count);
      length += count;
      expect(cache.length).toBe(length);
      expect(cache.place.arena.capacity).toBe(Math.ceil(length / 64) * 64);
      expect(tensorsOf(cache).keys[0]!.length).toBe(
        shape.numKvHeads * cache.place.arena.capacity * shape.headDim,
      );
      expectEntries(cache, length);
    }
  });

  test('trim keeps the prefix, is absolute, and refuses to grow', () => {
    const cache = new KvCache(new KvPool(shape));
    cache.append(rowsOf(0, 70, ALL), 0, 70);
    cache.trim(40);
    cache.trim(40);
    expect(cache.length).toBe(40);
    expectEntries(cache, 40);
    expect(() => cache.trim(41)).toThrow(RangeError);
    cache.append(rowsOf(40, 2, ALL, 1), 0, 2);
    expectEntries(cache, 40);
    expectEntries(cache, 42, ALL, 1, 40);
  });

  test('a draft writes only its slots, verification overwrites them', () => {
    const cache = new KvCache(new KvPool(shape));
    cache.append(rowsOf(0, 10, ALL), 0, 10);
    cache.append(rowsOf(10, 1, [0, 2], 7), 0, 1);
    cache.append(rowsOf(11, 1, [0, 2], 7), 0, 1);
    expectEntries(cache, 12, [0, 2], 7, 10);
    expectEntries(cache, 10);
    cache.trim(10);
    cache.append(rowsOf(10, 3, ALL), 0, 3);
    expectEntries(cache, 13);
  });

  test('starts with finite numbers everywhere, also in used buffers', () => {
    const pool = new KvPool(shape);
    for (let i = 0; i < 3; i++) {
      const cache = new KvCache(pool);
      const { keys, values } = tensorsOf(cache);
      expect([...keys, ...values].every((array) => array.every(Number.isFinite))).toBe(true);
      cache.append(rowsOf(0, 100, ALL), 0, 100);
      cache.dispose();
    }
  });
});

describe('snapshots', () => {
  test('carry the valid positions into a cache of another size, as many as are wanted', () => {
    const pool = new KvPool(shape);
    const cache = new KvCache(pool);
    cache.append(rowsOf(0, 300, ALL), 0, 300);
    cache.trim(290);
    const snapshot = cache.snapshot();
    expect(cache.bytes).toBe(2 * 3 * 4 * 290 * 4 * 4);
    cache.dispose();
    for (const length of [1, 63, 64, 65, 290]) {
      const other = new KvCache(pool);
      other.restore(snapshot, length);
      other.append(rowsOf(length, 5, ALL), 0, 5);
      expectEntries(other, length + 5);
      expect(() => other.restore(snapshot, 1)).toThrow(RangeError);
      other.dispose();
    }
    expect(() => new KvCache(pool).restore(snapshot, 291)).toThrow(RangeError);
  });
});

describe('caches side by side', () => {
  test('keep what is theirs while others come, grow, are trimmed and go, in runs of several', () => {
    const random = new RandomStream(11);
    const pool = new KvPool(shape);
    const live: { cache: KvCache; mark: number }[] = [];
    const below = (limit: number) => Math.floor(random.next() * limit);
    for (let round = 0; round < 400; round++) {
      const what = random.next();
      if (live.length === 0 || (what < 0.15 && live.length < 9)) {
        live.push({ cache: new KvCache(pool), mark: round });
      } else if (what < 0.25) live.splice(below(live.length), 1)[0]!.cache.dispose();
      else if (what < 0.35) {
        const { cache } = live[below(live.length)]!;
        cache.trim(below(cache.length + 1));
      } else {
        // Neighbouring rows of one arena, as in a batch; each takes a part of what the run made.
        const { arena } = live[below(live.length)]!.cache.place;
        const together = live
          .filter(({ cache }) => cache.place.arena === arena)
          .toSorted((a, b) => a.cache.place.index - b.cache.place.index);
        const width = 1 + below(round % 7 === 0 ? 60 : 4);
        const counts = together.map(() => 1 + below(width));
        const data = Float32Array.from(
          together.flatMap(({ cache, mark }, i) => listRows(cache.length, counts[i]!, width, ALL, mark)),
        );
        for (const [i, { cache }] of together.entries())
          cache.append({ data, width, slots: ALL }, i, counts[i]!);
      }
      for (const { cache, mark } of live) expectEntries(cache, cache.length, ALL, mark);
    }
    for (const { cache } of live) cache.dispose();
    expect(pool.usage.usedBytes).toBe(0);
  });
});

describe('KvPool', () => {
  test('stays flat over 1000 sequences of different lengths', () => {
    const pool = new KvPool(shape);
    let afterFirst = 0;
    for (let i = 0; i < 1000; i++) {
      const caches = [new KvCache(pool), new KvCache(pool)];
      for (const cache of caches) cache.append(rowsOf(0, 1 + ((i * 37) % 300), ALL), 0, 1 + ((i * 37) % 300));
      for (const cache of caches) cache.dispose();
      expect(pool.usage.usedBytes).toBe(0);
      if (i === 100) afterFirst = pool.usage.freeBytes;
    }
    expect(pool.usage.freeBytes).toBe(afterFirst);
  });

  test('copies little while sequences come and go above its limit', () => {
    const pool = new KvPool(shape, 20_000);
    const caches = Array.from({ length: 4 }, () => new KvCache(pool));
    for (const cache of caches) cache.append(rowsOf(0, 200, ALL), 0, 200);
    const { arena } = caches[0]!.place;
    let [moves, arrays] = [0, arena.arrays];
    for (let round = 0; round < 50; round++) {
      const next = new KvCache(pool);
      next.append(rowsOf(0, 200, ALL), 0, 200);
      caches.push(next);
      caches.shift()!.dispose();
      if (arena.arrays !== arrays) moves++;
      arrays = arena.arrays;
    }
    expect(moves).toBe(1); // once there is room for a fifth, there is for all that follow
    const last = caches[0]!.place.arena.arrays;
    caches.push(new KvCache(pool));
    caches.pop()!.dispose();
    expect(caches[0]!.place.arena.arrays).toBe(last); // neither coming nor going moved it
    for (const cache of caches) expectEntries(cache, 200);
  });

  test('keeps free rows up to its limit, and gives them to the garbage collector beyond', () => {
    for (const [limit, keepsSome] of [
      [20_000, false],
      [1e9, true],
    ] as const) {
      const pool = new KvPool(shape, limit);
      const caches = Array.from({ length: 10 }, () => new KvCache(pool));
      for (const cache of caches) cache.dispose();
      expect(pool.usage.freeBytes).toBeLessThanOrEqual(limit);
      expect(pool.usage.freeBytes > 0).toBe(keepsSome);
      pool.dispose();
      expect(pool.usage.freeBytes).toBe(0);
    }
  });
});
