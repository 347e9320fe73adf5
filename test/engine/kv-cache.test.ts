import { describe, expect, test } from 'bun:test';
import { KvCache } from '../../src/engine/kv-cache.ts';
import { KvPool } from '../../src/engine/kv-pool.ts';

const shape = { numSlots: 3, numKvHeads: 4, headDim: 4 };

/** A value that names its place. */
function entry(kind: number, slot: number, head: number, position: number, dim: number): number {
  return kind * 1e6 + slot * 1e5 + head * 1e4 + position * 10 + dim;
}

/** New rows as a run gives them: [KV, 2 * slots * count, D]. */
function rowsOf(start: number, count: number, slots: readonly number[], mark = 0): Float32Array {
  const rows: number[] = [];
  for (let head = 0; head < shape.numKvHeads; head++)
    for (const slot of slots)
      for (const kind of [0, 1])
        for (let row = 0; row < count; row++)
          for (let dim = 0; dim < shape.headDim; dim++)
            rows.push(entry(kind, slot, head, start + row, dim) + mark);
  return Float32Array.from(rows);
}

function expectEntries(
  cache: KvCache,
  length: number,
  slots: readonly number[] = [0, 1, 2],
  mark = 0,
  start = 0,
): void {
  for (const slot of slots)
    for (let head = 0; head < shape.numKvHeads; head++)
      for (let position = start; position < length; position++)
        for (let dim = 0; dim < shape.headDim; dim++) {
          const at = (head * cache.capacity + position) * shape.headDim + dim;
          const found = [cache.keys[slot]![at], cache.values[slot]![at]];
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
      cache.append(rowsOf(length, count, ALL), count, ALL);
      length += count;
      expect(cache.length).toBe(length);
      expect(cache.capacity).toBe(Math.ceil(length / 64) * 64);
      expect(cache.keys[0]!.length).toBe(shape.numKvHeads * cache.capacity * shape.headDim);
      expectEntries(cache, length);
    }
  });

  test('trim keeps the prefix, is absolute, and refuses to grow', () => {
    const cache = new KvCache(new KvPool(shape));
    cache.append(rowsOf(0, 70, ALL), 70, ALL);
    cache.trim(40);
    cache.trim(40);
    expect(cache.length).toBe(40);
    expectEntries(cache, 40);
    expect(() => cache.trim(41)).toThrow(RangeError);
    cache.append(rowsOf(40, 2, ALL, 1), 2, ALL);
    expectEntries(cache, 40);
    expectEntries(cache, 42, ALL, 1, 40);
  });

  test('a draft writes only its slots, verification overwrites them', () => {
    const cache = new KvCache(new KvPool(shape));
    cache.append(rowsOf(0, 10, ALL), 10, ALL);
    cache.append(rowsOf(10, 1, [0, 2], 7), 1, [0, 2]);
    cache.append(rowsOf(11, 1, [0, 2], 7), 1, [0, 2]);
    expectEntries(cache, 12, [0, 2], 7, 10);
    expectEntries(cache, 10);
    cache.trim(10);
    cache.append(rowsOf(10, 3, ALL), 3, ALL);
    expectEntries(cache, 13);
  });

  test('starts with finite numbers everywhere, also in used buffers', () => {
    const pool = new KvPool(shape);
    for (let i = 0; i < 3; i++) {
      const cache = new KvCache(pool);
      expect([...cache.keys, ...cache.values].every((array) => array.every(Number.isFinite))).toBe(true);
      cache.append(rowsOf(0, 100, ALL), 100, ALL);
      cache.dispose();
    }
  });
});

describe('KvPool', () => {
  test('stays flat over 1000 sequences of different lengths', () => {
    const pool = new KvPool(shape);
    let afterFirst = 0;
    for (let i = 0; i < 1000; i++) {
      const caches = [new KvCache(pool), new KvCache(pool)];
      for (const cache of caches)
        cache.append(rowsOf(0, 1 + ((i * 37) % 300), ALL), 1 + ((i * 37) % 300), ALL);
      for (const cache of caches) cache.dispose();
      expect(pool.usage.usedBytes).toBe(0);
      if (i === 100) afterFirst = pool.usage.freeBytes;
    }
    expect(pool.usage.freeBytes).toBe(afterFirst);
  });

  test('gives buffers to the garbage collector beyond its limit', () => {
    const pool = new KvPool(shape, 60_000);
    const caches = Array.from({ length: 10 }, () => new KvCache(pool));
    for (const cache of caches) cache.dispose();
    expect(pool.usage.freeBytes).toBeLessThanOrEqual(60_000);
    expect(pool.usage.freeBytes).toBeGreaterThan(0);
    pool.dispose();
    expect(pool.usage.freeBytes).toBe(0);
  });
});
