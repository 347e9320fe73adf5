import { afterAll, describe, expect, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layerTensorShapes, readModelFolder, readTensor } from '../../src/hf/index.ts';
import { GOLDEN_MODELS, goldenDir, readGolden, STORIES_DIR } from '../golden/models.ts';
import { copyModel, emptyFolder, failureOf, LFS_POINTER, removeFolders } from './scratch.ts';

afterAll(removeFolders);

describe.each([...GOLDEN_MODELS])('readModelFolder() of %s', (name) => {
  test('finds the tensors, shapes and values that PyTorch found', async () => {
    const folder = await readModelFolder(goldenDir(name));
    const { layers } = readGolden(name).fisher;
    expect(folder.config.numLayers).toBe(layers.length);
    expect([...layerTensorShapes(folder.config).keys()].sort()).toEqual(
      Object.keys(layers[0]!.tensors).sort() as never,
    );
    for (const [index, layer] of layers.entries()) {
      for (const [tensor, { shape, theta_sq }] of Object.entries(layer.tensors)) {
        const key = `model.layers.${index}.${tensor}`;
        expect(folder.tensors.get(key)?.shape).toEqual(shape);
        const sum = (await readTensor(folder, key)).reduce((total, value) => total + value * value, 0);
        expect(Math.abs(sum / theta_sq - 1)).toBeLessThan(1e-6);
      }
    }
  });

  test('names an existing file and its bytes for every tensor', async () => {
    const folder = await readModelFolder(goldenDir(name));
    for (const ref of folder.tensors.values()) {
      expect(folder.files).toContain(ref.file);
      const elements = ref.shape.reduce((total, dim) => total * dim, 1);
      expect(ref.lengthBytes).toBe(elements * (ref.dtype === 'F32' ? 4 : 2));
    }
    expect(folder.config.vocabSize).toBe(readGolden(name).logits[0]!.length);
  });
});

describe('readModelFolder() reads', () => {
  test('the llama3 scaling and the three end tokens of llama32-ropescaled', async () => {
    const { config, generation } = await readModelFolder(goldenDir('llama32-ropescaled'));
    expect(config.headDim).toBe(24);
    expect(config.rope).toEqual({
      theta: 500000,
      scaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 64 },
    });
    expect(generation.eosTokenIds).toEqual([443, 446, 447]);
    expect(generation).toMatchObject({ bosTokenId: 442, temperature: 0.6, topP: 0.9 });
  });

  test('the biases of qwen2 and its sampling defaults', async () => {
    const { config, generation } = await readModelFolder(goldenDir('qwen2-tied'));
    expect(config).toMatchObject({ qkvBias: true, outputBias: false, mlpBias: false, tiedEmbeddings: true });
    expect(generation).toMatchObject({ topK: 20, topP: 0.8, temperature: 0.7, repetitionPenalty: 1.1 });
  });

  test('the transformers 5 layout of qwen3 and its end token from config.json', async () => {
    const { config, generation, files } = await readModelFolder(goldenDir('qwen3-v5config'));
    expect(config).toMatchObject({
      qkNorm: true,
      headDim: 24,
      rope: { theta: 1000000, scaling: { type: 'default' } },
    });
    expect(generation).toMatchObject({ bosTokenId: 411, eosTokenIds: [413], temperature: undefined });
    expect(files).toContain('chat_template.jinja');
  });

  test('three shards, in the order of their names, with the index', async () => {
    const { files, config } = await readModelFolder(goldenDir('llama2-sharded-bf16'));
    expect(config.rope.theta).toBe(10000);
    expect(files.filter((file) => file.includes('safetensors'))).toEqual([
      'model.safetensors.index.json',
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
    ]);
  });

  test('the stories model', async () => {
    const { config, tensors } = await readModelFolder(STORIES_DIR);
    expect(config).toMatchObject({ numLayers: 16, hiddenSize: 256, numKvHeads: 2, tiedEmbeddings: true });
    const elements = [...tensors.values()].reduce((total, ref) => total + ref.lengthBytes / 2, 0);
    expect(elements).toBe(12_853_504);
  });
});

describe('readModelFolder() refuses', () => {
  test('a folder that is not there', async () => {
    const error = await failureOf(readModelFolder(join(emptyFolder(), 'nothing')));
    expect(error).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining('no such folder'),
    });
  });

  test('a file', async () => {
    const error = await failureOf(readModelFolder(join(goldenDir('qwen2-tied'), 'config.json')));
    expect(error).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining('it is a file'),
    });
  });

  test('a folder without config.json, and one whose config.json is no JSON', async () => {
    const dir = copyModel('qwen2-tied');
    writeFileSync(join(dir, 'config.json'), '{"model_type": "qwen2",');
    expect(await failureOf(readModelFolder(dir))).toMatchObject({ code: 'model_unreadable' });
    rmSync(join(dir, 'config.json'));
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringMatching(
        /: it has no config\.json; found generation_config\.json, .*model\.safetensors, .*; needed is a folder as on the Hugging Face hub, with config\.json, /,
      ),
    });
    expect(await failureOf(readModelFolder(emptyFolder()))).toMatchObject({
      message: expect.stringContaining('it has no config.json; found an empty folder; needed is'),
    });
  });

  test('weights that are a Git LFS pointer, and a path through a file', async () => {
    const dir = copyModel('qwen2-tied');
    writeFileSync(join(dir, 'model.safetensors'), LFS_POINTER);
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringMatching(/model\.safetensors: it is a Git LFS pointer.*run git lfs pull/),
    });
    expect(await failureOf(readModelFolder(join(dir, 'config.json/x')))).toMatchObject({
      message: expect.stringContaining('a part of the path is a file, not a folder (ENOTDIR); needed is'),
    });
  });

  test('pickled weights, saying what is needed', async () => {
    const dir = copyModel('qwen2-tied');
    rmSync(join(dir, 'model.safetensors'));
    writeFileSync(join(dir, 'pytorch_model.bin'), 'x');
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringMatching(/found pytorch_model\.bin; needed is model\.safetensors/),
    });
  });
});

test('readTensor() throws RangeError for a tensor that the model does not have', async () => {
  const folder = await readModelFolder(goldenDir('smollm2-tied'));
  expect(await failureOf(readTensor(folder, 'lm_head.weight'))).toBeInstanceOf(RangeError);
});

test('readTensor() tells that a file has shrunk since', async () => {
  const dir = copyModel('mistral-f16');
  const folder = await readModelFolder(dir);
  writeFileSync(join(dir, 'model.safetensors'), new Uint8Array(100));
  expect(await failureOf(readTensor(folder, 'lm_head.weight'))).toMatchObject({
    code: 'model_unreadable',
    message: expect.stringContaining('too early'),
  });
});
