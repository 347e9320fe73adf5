import { afterAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensorsHeader } from '../../src/hf/safetensors.ts';
import { emptyFolder, encodeSafetensors, failureOf, LFS_POINTER, removeFolders } from './scratch.ts';

afterAll(removeFolders);

const FILE = 'model.safetensors';
const dir = emptyFolder();

function read(bytes: Uint8Array) {
  writeFileSync(join(dir, FILE), bytes);
  return readSafetensorsHeader(dir, FILE);
}

const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('readSafetensorsHeader()', () => {
  test('gives offsets from the start of the file', async () => {
    const header = {
      __metadata__: { format: 'pt' },
      b: f32([2, 2], 4, 20),
      a: f32([1], 0, 4),
      scalar: f32([], 20, 24),
    };
    const bytes = encodeSafetensors(header, new Uint8Array(24));
    const start = bytes.length - 24;
    const entries = await read(bytes);
    expect(entries.map(({ name, offsetBytes, lengthBytes }) => [name, offsetBytes, lengthBytes])).toEqual([
      ['b', start + 4, 16],
      ['a', start, 4],
      ['scalar', start + 20, 4],
    ]);
  });

  test('accepts padding after the JSON, empty tensors and types of other tensors', async () => {
    const header = { none: f32([0, 8], 0, 0), ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } };
    const entries = await read(encodeSafetensors(`${JSON.stringify(header)}     `, new Uint8Array(8)));
    expect(entries.map((entry) => entry.dtype)).toEqual(['F32', 'I64']);
  });

  const good = { a: f32([2], 0, 8), b: f32([1], 8, 12) };
  const bytes12 = new Uint8Array(12);
  const longPrefix = new Uint8Array(16);
  new DataView(longPrefix.buffer).setBigUint64(0, 2n ** 60n, true);
  const shortHeader = new Uint8Array(16);
  new DataView(shortHeader.buffer).setBigUint64(0, 500n, true);

  test.each([
    ['an empty file', new Uint8Array(0), 'it has 0 bytes'],
    ['a length beyond reason', longPrefix, 'so it is damaged or no safetensors file.'],
    [
      'a Git LFS pointer',
      new TextEncoder().encode(LFS_POINTER),
      'it is a Git LFS pointer, not the file itself; run git lfs pull',
    ],
    ['a text shorter than any pointer', new TextEncoder().encode('version h'), 'its header claims'],
    ['a header that ends behind the file', shortHeader, 'truncated'],
    ['a header that is no JSON', encodeSafetensors('{"a": ', bytes12), 'no JSON'],
    ['a header that is no object', encodeSafetensors('7', bytes12), 'no JSON object'],
    ['a header that is no UTF-8', encodeSafetensors(good, bytes12).fill(0xff, 9, 12), 'no UTF-8'],
    [
      'an entry without shape',
      encodeSafetensors({ a: { dtype: 'F32', data_offsets: [0, 8] } }, bytes12),
      'shape',
    ],
    ['a negative size', encodeSafetensors({ a: f32([-2], 0, 8) }, bytes12), 'shape'],
    ['a size that is no integer', encodeSafetensors({ a: f32([1.5], 0, 6) }, bytes12), 'shape'],
    ['offsets the wrong way round', encodeSafetensors({ a: f32([2], 8, 0) }, bytes12), 'before it begins'],
    [
      'a shape unlike its bytes',
      encodeSafetensors({ a: f32([3], 0, 8) }, bytes12),
      'needs 12 bytes and has 8',
    ],
    [
      'a type unlike its bytes',
      encodeSafetensors({ a: { ...f32([2], 0, 8), dtype: 'F16' } }, bytes12),
      'needs 4 bytes',
    ],
    [
      'overlapping tensors',
      encodeSafetensors({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, bytes12),
      'overlaps tensor a by 4',
    ],
    [
      'two tensors of the same bytes',
      encodeSafetensors({ a: f32([3], 0, 12), b: f32([3], 0, 12) }, bytes12),
      'overlaps',
    ],
    [
      'a hole',
      encodeSafetensors({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, bytes12),
      '4 bytes between tensor a and tensor b',
    ],
    ['a hole at the start', encodeSafetensors({ b: f32([1], 8, 12) }, bytes12), '8 bytes between the header'],
    [
      'a name given twice',
      encodeSafetensors(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
        bytes12,
      ),
      'between',
    ],
    ['missing bytes', encodeSafetensors(good, new Uint8Array(11)), 'truncated: tensor b ends'],
    ['bytes left over', encodeSafetensors(good, new Uint8Array(13)), '1 bytes after tensor b'],
  ])('finds %s', async (_, bytes, message) => {
    expect(await failureOf(read(bytes))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining(message),
    });
  });

  test('finds every truncation of a real header and its data', async () => {
    const whole = encodeSafetensors(good, bytes12);
    for (let length = 0; length < whole.length; length++) {
      expect(await failureOf(read(whole.subarray(0, length)))).toMatchObject({ code: 'model_unreadable' });
    }
    expect(await read(whole)).toHaveLength(2);
  });

  test('says which file is missing', async () => {
    expect(await failureOf(readSafetensorsHeader(dir, 'nowhere.safetensors'))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining('nowhere.safetensors'),
    });
  });
});
