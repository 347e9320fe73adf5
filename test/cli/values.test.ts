import { describe, expect, test } from 'bun:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIds, parseNumber, parseUnits, readIdsFile } from '../../src/cli/values.ts';
import { temporaryFolder } from '../artifact/example.ts';

describe('parseNumber()', () => {
  test.each([
    ['0', 0],
    ['-1.5', -1.5],
    ['.5', 0.5],
    ['1e-3', 0.001],
  ] as const)('reads %s', (text, value) => {
    expect(parseNumber('t', text, {})).toBe(value);
  });

  test('leaves out what was not given', () => {
    expect(parseNumber('t', undefined, { min: 1 })).toBeUndefined();
  });

  test.each(['', 'abc', '1,5', '0x10', 'Infinity', 'NaN', ' 1', '1e999'])('refuses %j', (text) => {
    expect(() => parseNumber('t', text, { max: 1e300 })).toThrow(/--t is ".*", needs a number/);
  });

  test('says the bounds', () => {
    expect(() => parseNumber('n', '0', { min: 1, max: 16, isWhole: true })).toThrow(
      '--n is "0", needs a whole number from 1 to 16',
    );
    expect(() => parseNumber('n', '1.5', { min: 1, isWhole: true })).toThrow(
      'needs a whole number from 1 up',
    );
  });
});

test('parseIds() reads ids and names the entry that is none', () => {
  expect(parseIds('prompt-ids', '1, 2,30')).toEqual([1, 2, 30]);
  for (const text of ['', '1,,2', '-1', '1.5', 'a', '12345678901']) {
    expect(() => parseIds('prompt-ids', text)).toThrow(/--prompt-ids has the entry ".*", needs token ids/);
  }
});

describe('parseUnits()', () => {
  test('reads layers and blocks, each once, in order', () => {
    expect(parseUnits('drop', '7.mlp,3, 3.attn,0.attn', 8)).toEqual([
      { layer: 0, block: 'attn' },
      { layer: 3, block: 'attn' },
      { layer: 3, block: 'mlp' },
      { layer: 7, block: 'mlp' },
    ]);
  });

  test.each(['8', '8.mlp', '1.head', 'x', '', '-1', '1.attn.mlp'])('refuses %j of 8 layers', (text) => {
    expect(() => parseUnits('drop', text, 8)).toThrow(/--drop has the entry .* layers 0 to 7/);
  });
});

describe('readIdsFile()', () => {
  async function read(content: string): Promise<number[][]> {
    await using root = await temporaryFolder();
    await writeFile(join(root.path, 'ids.json'), content);
    return await readIdsFile('ids', join(root.path, 'ids.json'));
  }

  test('reads sequences', async () => {
    expect(await read('[[1, 2], [3]]')).toEqual([[1, 2], [3]]);
  });

  test.each([
    ['[[1, 2], [3, -4]]', /ids.json at sequence 1, entry 1: /],
    ['[[1, 2.5]]', /sequence 0, entry 1/],
    ['[[1], []]', /sequence 1: is empty/],
    ['[]', /has no sequence/],
    ['[1, 2]', /sequence 0: /],
    ['{"ids": []}', /the file needs the form \[\[1, 2, 3\], ...\]/],
    ['[[1, 2', /ids.json is not JSON \(.+\); the file needs the form/],
    ['', /ids.json is empty; the file needs the form/],
  ])('refuses %s', async (content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  test('names a file that is not there', async () => {
    await expect(readIdsFile('ids', '/nowhere/ids.json')).rejects.toThrow(
      /--ids: \/nowhere\/ids.json cannot be read: there is no such file or folder/,
    );
  });
});
