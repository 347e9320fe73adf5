import { afterAll, describe, expect, test } from 'bun:test';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModelFolder, readTensor } from '../../src/hf/index.ts';
import {
  copyModel,
  decodeSafetensors,
  failureOf,
  patchJson,
  removeFolders,
  type TestTensor,
  writeSafetensors,
} from './scratch.ts';

afterAll(removeFolders);

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** A copy of smollm2-tied whose tensors a function has changed. */
function withTensors(change: (tensors: Map<string, TestTensor>) => void): string {
  const dir = copyModel('smollm2-tied');
  const path = join(dir, WEIGHTS);
  const tensors = decodeSafetensors(path);
  change(tensors);
  writeSafetensors(path, tensors);
  return dir;
}

function floats(...shape: number[]): TestTensor {
  const elements = shape.reduce((total, dim) => total * dim, 1);
  return { dtype: 'F32', shape, data: new Uint8Array(elements * 4) };
}

const Q = 'model.layers.3.self_attn.q_proj.weight';
const EMBEDDING = 'model.embed_tokens.weight';

describe('the tensors of a model', () => {
  test('a missing one is named', async () => {
    const dir = withTensors((tensors) => tensors.delete(Q));
    expect(await failureOf(readModelFolder(dir))).toMatchObject({ code: 'model_unreadable', param: Q });
  });

  test('one of another shape is named with both shapes', async () => {
    const dir = withTensors((tensors) => tensors.set(Q, floats(32, 128)));
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining('shape [32, 128]; config.json asks for [64, 64]'),
    });
  });

  test('one of a type that we do not read is named', async () => {
    const dir = withTensors((tensors) =>
      tensors.set(Q, { dtype: 'F8_E4M3', shape: [64, 64], data: new Uint8Array(4096) }),
    );
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unsupported',
      message: expect.stringContaining('F8_E4M3'),
    });
  });

  test.each([
    'model.layers.3.self_attn.q_proj.bias',
    'model.layers.3.self_attn.q_norm.weight',
    'model.layers.6.mlp.up_proj.weight',
    'score.weight',
  ])('one that the family does not have is refused: %s', async (name) => {
    const dir = withTensors((tensors) => tensors.set(name, floats(4)));
    expect(await failureOf(readModelFolder(dir))).toMatchObject({ code: 'model_unsupported', param: name });
  });

  test('frequencies that every loader recomputes are ignored', async () => {
    const name = 'model.layers.0.self_attn.rotary_emb.inv_freq';
    const folder = await readModelFolder(withTensors((tensors) => tensors.set(name, floats(4))));
    expect(folder.tensors.has(name)).toBe(false);
  });

  test('an untied model without head is told so', async () => {
    const dir = copyModel('smollm2-tied');
    patchJson(dir, 'config.json', { tie_word_embeddings: false });
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      param: 'lm_head.weight',
      message: expect.stringContaining('tie_word_embeddings'),
    });
  });

  test('a tied model may store its head too, if it is the embedding', async () => {
    const dir = withTensors((tensors) => tensors.set('lm_head.weight', tensors.get(EMBEDDING)!));
    const folder = await readModelFolder(dir);
    expect(folder.config.tiedEmbeddings).toBe(true);
    expect(folder.tensors.has('lm_head.weight')).toBe(false);
  });

  test('a stored head unlike the embedding counts, whatever config.json says', async () => {
    const dir = withTensors((tensors) => {
      const embedding = tensors.get(EMBEDDING)!;
      const data = embedding.data.slice();
      data[data.length - 1]! ^= 0x80;
      tensors.set('lm_head.weight', { ...embedding, data });
    });
    const folder = await readModelFolder(dir);
    expect(folder.config.tiedEmbeddings).toBe(false);
    const [head, embedding] = [
      await readTensor(folder, 'lm_head.weight'),
      await readTensor(folder, EMBEDDING),
    ];
    expect(head.at(-1)).toBe(-embedding.at(-1)!);
  });
});

describe('shards', () => {
  const shard = 'model-00002-of-00003.safetensors';

  function patchIndex(change: (map: Record<string, string>) => void): string {
    const dir = copyModel('llama2-sharded-bf16');
    const { weight_map: map } = JSON.parse(readFileSync(join(dir, INDEX), 'utf8'));
    change(map);
    patchJson(dir, INDEX, { weight_map: map });
    return dir;
  }

  test('a missing one is named', async () => {
    const dir = copyModel('llama2-sharded-bf16');
    rmSync(join(dir, shard));
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining(`the shard ${shard}, which is missing`),
    });
  });

  test('a truncated one is named', async () => {
    const dir = copyModel('llama2-sharded-bf16');
    truncateSync(join(dir, shard), 200_000);
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringMatching(/Cannot read model-00002.*truncated/),
    });
  });

  test('a tensor that the index places elsewhere is named', async () => {
    const dir = patchIndex((map) => {
      map['model.norm.weight'] = 'model-00001-of-00003.safetensors';
    });
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringMatching(
        /places tensor model\.norm\.weight in model-00001.*it is in model-00003/,
      ),
    });
  });

  test('a tensor of the index that is nowhere is named', async () => {
    const dir = patchIndex((map) => {
      map['model.ghost.weight'] = shard;
    });
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining('model.ghost.weight'),
    });
  });

  test('a tensor in two of them is named', async () => {
    const dir = copyModel('llama2-sharded-bf16');
    const tensors = decodeSafetensors(join(dir, shard));
    tensors.set('model.norm.weight', { dtype: 'BF16', shape: [64], data: new Uint8Array(128) });
    writeSafetensors(join(dir, shard), tensors);
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining('tensor model.norm.weight is both in'),
    });
  });

  test.each([
    '../outside.safetensors',
    '/etc/passwd',
    'sub/model.safetensors',
    'a\\b.safetensors',
    'config.json',
  ])('none may be outside the folder or of another kind: %s', async (name) => {
    const dir = patchIndex((map) => {
      map['model.norm.weight'] = name;
    });
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining('no .safetensors file name of this folder'),
    });
  });

  test('an index without weight_map is refused', async () => {
    const dir = copyModel('llama2-sharded-bf16');
    writeFileSync(join(dir, INDEX), '{"metadata": {}}');
    expect(await failureOf(readModelFolder(dir))).toMatchObject({
      code: 'model_unreadable',
      param: 'weight_map',
    });
  });
});
