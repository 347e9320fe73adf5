import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseConfig, readTensor, tensorShapes } from '../../../src/hf/index.ts';
import { readSafetensorsHeader } from '../../../src/hf/safetensors.ts';
import { writeRandomModel, writeRandomRounded } from '../../../src/measure/shape/random-model.ts';
import { openScratchFolder } from '../../../src/measure/shape/scratch-folder.ts';
import { layoutReducedHead, layoutRoundedFile } from '../../../src/quant/index.ts';

const CONFIG = {
  model_type: 'qwen3',
  num_hidden_layers: 2,
  hidden_size: 48,
  intermediate_size: 80,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  vocab_size: 101,
  tie_word_embeddings: false,
};
const OPTIONS = { signal: new AbortController().signal, onProgress: () => {} };

describe('writeRandomModel()', () => {
  test('gives a model folder with every tensor, neither empty nor extreme', async () => {
    using scratch = await openScratchFolder();
    const folder = await writeRandomModel(scratch.path, CONFIG, OPTIONS);
    expect([...folder.tensors.keys()].sort()).toEqual([...tensorShapes(folder.config).keys()].sort());
    expect(folder.config.tiedEmbeddings).toBe(false);
    const values = await readTensor(folder, 'model.layers.1.mlp.down_proj.weight');
    expect(new Set(values).size).toBeGreaterThan(100);
    for (const value of values) {
      expect(Math.abs(value)).toBeGreaterThanOrEqual(1 / 64);
      expect(Math.abs(value)).toBeLessThan(1 / 32);
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.002);
    expect(new Set(await readTensor(folder, 'model.norm.weight'))).toEqual(new Set([1]));
  });

  test('writes the same bytes each time', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => bytesOfModel()));
    expect(first!.equals(second!)).toBe(true);
  });

  test('ends with the reason of its signal', async () => {
    using scratch = await openScratchFolder();
    const signal = AbortSignal.abort(new Error('enough'));
    const written = writeRandomModel(scratch.path, CONFIG, { ...OPTIONS, signal });
    await expect(written).rejects.toThrow('enough');
  });
});

describe.each(['int4', 'int8'] as const)('writeRandomRounded(), %s', (rounding) => {
  test.each([
    ['all products', layoutRoundedFile(parseConfig(CONFIG), rounding)],
    ['a reduced head', layoutReducedHead(parseConfig(CONFIG), rounding, 10)],
  ])('is laid out as a file of %s', async (_, layout) => {
    using scratch = await openScratchFolder();
    await writeRandomRounded(scratch.path, layout, OPTIONS);
    const entries = await readSafetensorsHeader(scratch.path, layout.file);
    const places = new Map(entries.map((entry) => [entry.name, entry]));
    const bytes = readFileSync(join(scratch.path, layout.file));
    expect(bytes.length).toBe(layout.bytes);
    for (const { name, packed, scales } of layout.matrices) {
      expect(places.get(`${name}.packed`)).toMatchObject(packed);
      expect(places.get(`${name}.scales`)).toMatchObject(scales);
      const scale = bytes.readFloatLE(scales.offsetBytes);
      expect(scale).toBeCloseTo(0.02 / (rounding === 'int4' ? 8 : 128), 6);
    }
  });
});

test('openScratchFolder() gives folders of their own, gone when disposed of', async () => {
  let path = '';
  {
    using first = await openScratchFolder();
    using second = await openScratchFolder();
    expect(first.path).not.toBe(second.path);
    expect(existsSync(first.path)).toBe(true);
    path = first.path;
  }
  expect(existsSync(path)).toBe(false);
});

test('openScratchFolder() leaves nothing behind where the process exits first', () => {
  const module = new URL('../../../src/measure/shape/scratch-folder.ts', import.meta.url).href;
  const script = `const { openScratchFolder } = await import(${JSON.stringify(module)});
    console.log((await openScratchFolder()).path);
    process.exit(3);`;
  const { status, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(status).toBe(3);
  expect(stdout).toMatch(/sdfp-shape-/);
  expect(existsSync(stdout.trim())).toBe(false);
});

async function bytesOfModel(): Promise<Buffer> {
  using scratch = await openScratchFolder();
  await writeRandomModel(scratch.path, CONFIG, OPTIONS);
  return readFileSync(join(scratch.path, 'model.safetensors'));
}
