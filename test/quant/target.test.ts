import { describe, expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readModelFolder, readTensor } from '../../src/hf/index.ts';
import { readSafetensorsHeader } from '../../src/hf/safetensors.ts';
import { TARGET_WEIGHTS_FILE } from '../../src/lib/model-files.ts';
import {
  layoutRoundedFile,
  layoutTargetFile,
  readRoundedFolder,
  roundedFolder,
  writeRoundedFile,
  writeTargetFile,
} from '../../src/quant/index.ts';
import { temporaryFolder } from '../artifact/example.ts';
import { GOLDEN_MODELS, goldenDir } from '../golden/models.ts';

describe.each([...GOLDEN_MODELS])('writeTargetFile() of %s', (name) => {
  test('writes a sound safetensors file of products and all that they leave, as laid out', async () => {
    const folder = await readModelFolder(goldenDir(name));
    await using scratch = await temporaryFolder();
    const layout = await writeTargetFile(folder, scratch.path);
    expect(layout).toEqual(layoutTargetFile(folder));
    const bytes = await readFile(join(scratch.path, TARGET_WEIGHTS_FILE));
    expect([layout.file, layout.bytes]).toEqual([TARGET_WEIGHTS_FILE, bytes.length]);
    const entries = await readSafetensorsHeader(scratch.path, layout.file);
    expect(entries).toHaveLength(2 * layout.matrices.length + layout.kept.size);
    for (const entry of entries.filter(({ name }) => layout.kept.has(name))) {
      expect(layout.kept.get(entry.name)).toEqual(entry as never);
      const size = { F32: 4, F16: 2, BF16: 2 }[entry.dtype]!;
      expect(entry.offsetBytes % size).toBe(0);
    }
    const { tiedEmbeddings } = folder.config;
    const isProduct = (tensor: string) => tensor.endsWith('_proj.weight') || tensor === 'lm_head.weight';
    const left = [...folder.tensors.keys()].filter((tensor) => !isProduct(tensor));
    expect([...layout.kept.keys()].sort()).toEqual(left.sort());
    expect(layout.matrices.at(-1)!.sources).toEqual([
      tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight',
    ]);
  });

  test('keeps the values of the checkpoint, and rounds as for a draft', async () => {
    const folder = await readModelFolder(goldenDir(name));
    await using scratch = await temporaryFolder();
    const [target, draft] = [
      await writeTargetFile(folder, scratch.path),
      await writeRoundedFile(folder, 'int4', scratch.path),
    ];
    const rounded = roundedFolder(folder, scratch.path);
    for (const tensor of target.kept.keys()) {
      expect(await readTensor(rounded, tensor)).toEqual(await readTensor(folder, tensor));
    }
    const [a, b] = await Promise.all([target, draft].map(({ file }) => readFile(join(scratch.path, file))));
    const matrixBytes = draft.bytes - draft.header.length;
    expect(a!.subarray(target.header.length, target.header.length + matrixBytes)).toEqual(
      b!.subarray(draft.header.length),
    );
  });

  test('readRoundedFolder() finds what roundedFolder() says, without the checkpoint', async () => {
    const folder = await readModelFolder(goldenDir(name));
    await using scratch = await temporaryFolder();
    await writeTargetFile(folder, scratch.path);
    const rounded = roundedFolder(folder, scratch.path);
    expect(await readRoundedFolder(scratch.path, folder)).toEqual(rounded);
    expect(layoutTargetFile(rounded)).toEqual(layoutTargetFile(folder));
    expect(rounded.files.filter((file) => file.includes('safetensors'))).toEqual([]);
    expect(layoutRoundedFile(folder.config, 'int4').kept.size).toBe(0);
  });
});

test('a folder with rounded weights alone is refused as a model, by what it lacks', async () => {
  const folder = await readModelFolder(goldenDir('smollm2-tied'));
  await using scratch = await temporaryFolder();
  await Bun.write(join(scratch.path, 'config.json'), Bun.file(join(folder.dir, 'config.json')));
  await writeTargetFile(folder, scratch.path);
  await expect(readModelFolder(scratch.path)).rejects.toThrow(
    /found target\.int4\.safetensors, .* without the original ones; needed are those, model\.safetensors .*name the model folder/,
  );
});
