import { afterAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTensor } from '../../src/hf/index.ts';
import type { TensorRef } from '../../src/hf/types.ts';
import { widen } from '../../src/hf/widen.ts';
import { emptyFolder, removeFolders } from './scratch.ts';

afterAll(removeFolders);

const ALL_BITS = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

describe('widen()', () => {
  test('F16: every bit pattern as the platform reads it', () => {
    const values = new Float32Array(0x10000);
    widen('F16', ALL_BITS, values);
    const expected = Float32Array.from(new Float16Array(ALL_BITS.buffer));
    for (const [bits, value] of values.entries()) {
      if (!Object.is(value, expected[bits]))
        throw new Error(`0x${bits.toString(16)}: ${value}, not ${expected[bits]}`);
    }
    expect(values[0x3555]).toBe(0x555 / 4096);
  });

  test('BF16: every bit pattern is the upper half of its float', () => {
    const values = new Float32Array(0x10000);
    widen('BF16', ALL_BITS, values);
    const words = new Uint32Array(values.buffer);
    for (const [bits, word] of words.entries()) {
      if (word !== bits * 0x10000) throw new Error(`0x${bits.toString(16)}: 0x${word.toString(16)}`);
    }
    expect(values[0x3fc0]).toBe(1.5);
  });
});

test('readTensor() reads tensors longer than one chunk from an odd offset', async () => {
  const dir = emptyFolder();
  const elements = 9 * 1024 * 1024 + 5;
  const bits = Uint16Array.from({ length: elements }, (_, index) => (index * 40503) & 0x7fff);
  const file = new Uint8Array(3 + elements * 2);
  file.set(new Uint8Array(bits.buffer), 3);
  writeFileSync(join(dir, 'w'), file);
  const ref: TensorRef = {
    name: 'w',
    dtype: 'BF16',
    shape: [elements],
    file: 'w',
    offsetBytes: 3,
    lengthBytes: elements * 2,
  };
  const words = new Uint32Array((await readTensor({ dir, tensors: new Map([['w', ref]]) }, 'w')).buffer);
  expect(words.length).toBe(elements);
  expect(words.findIndex((word, index) => word !== bits[index]! * 0x10000)).toBe(-1);
});
