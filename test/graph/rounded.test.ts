import { describe, expect, test } from 'bun:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStage } from '../../src/build/stage.ts';
import { RoundedWeights } from '../../src/graph/rounded-weights.ts';
import { type ModelFolder, readTensor, type TensorRef } from '../../src/hf/index.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { listUnits } from '../../src/lib/units.ts';
import { encodeModel, GraphBuilder } from '../../src/onnx/index.ts';
import { layoutRoundedFile, type Rounding, roundedFolder, writeTargetFile } from '../../src/quant/index.ts';
import { roundMatrix } from '../../src/quant/round.ts';
import { floatTensor, openSession } from '../../src/runtime/index.ts';
import { temporaryFolder } from '../artifact/example.ts';
import { GOLDEN_MODELS } from '../golden/models.ts';
import { dequantize } from '../quant/dequantize.ts';
import { openGolden } from './golden.ts';
import { relativeError, splitRows } from './run-graph.ts';
import { ServingRunner } from './serving-runner.ts';

const ROUNDINGS = ['int4', 'int8'] as const;

function stage(folder: ModelFolder, path: string) {
  return openStage(folder, stageOptions(join(path, 'artifact')));
}

function stageOptions(outDir: string) {
  return { outDir, roundings: ROUNDINGS, signal: undefined, onProgress: () => {} };
}

describe.each([...GOLDEN_MODELS])('RoundedWeights of %s', (name) => {
  test.each(ROUNDINGS)('%s products are those of the dequantized weights', async (rounding) => {
    const { folder } = await openGolden(name);
    await using scratch = await temporaryFolder();
    await using staged = await stage(folder, scratch.path);
    const layout = layoutRoundedFile(folder.config, rounding);
    for (const { sources, rows, columns } of layout.matrices.slice(-5)) {
      const g = new GraphBuilder();
      const weights = RoundedWeights.ofDraft(g, folder, rounding);
      g.output('y', weights.multiply(g.input('x', 'float32', ['S', columns]), sources));
      const session = await openSession({
        graph: encodeModel(g.build()),
        weightsDir: staged.dir,
        threads: 1,
      });
      const matrix = await dequantizedRows(folder, sources, columns, rounding);
      const random = new RandomStream(columns);
      for (const count of [1, 5]) {
        const x = Float32Array.from({ length: count * columns }, () => 2 * random.next() - 1);
        const { y } = session.run({ x: floatTensor(x, [count, columns]) }, ['y']);
        const expected = multiply(x, matrix, columns);
        expect(y!.dims).toEqual([count, rows]);
        // The runtime rounds x to 8 bits per block as well.
        expect(relativeError(y!.data as Float32Array, expected)).toBeLessThan(0.01);
      }
      session.dispose();
    }
  });

  test('a rounded draft is the model with dequantized weights; the target stays golden', async () => {
    const { folder, golden } = await openGolden(name);
    await using scratch = await temporaryFolder();
    await using staged = await stage(folder, scratch.path);
    const [first, ...units] = listUnits(folder.config.numLayers);
    const [int4, int8] = [units.filter((_, i) => i % 2 === 0), units.filter((_, i) => i % 2 === 1)];
    const dropped = [first!];
    const runner = await ServingRunner.openPlan(folder, { dropped, int4, int8, head: 'int8' }, staged.dir);
    const draft = runner.run(golden.prompt_ids, { draft: true }).logits.at(-1)!;
    const target = runner.run(golden.prompt_ids).logits.at(-1)!;
    expect(relativeError(target, golden.logits[2]!)).toBeLessThan(1e-4);
    const isInt4 = (tensor: string) =>
      int4.some(({ layer, block }) =>
        tensor.startsWith(`model.layers.${layer}.${block === 'attn' ? 'self_attn' : 'mlp'}.`),
      );
    const rounded = await dequantizedFolder(folder, scratch.path, (tensor) =>
      isInt4(tensor) ? 'int4' : 'int8',
    );
    const reference = await ServingRunner.openPlan(rounded, { dropped }, rounded.dir);
    const expected = [...reference.run(golden.prompt_ids, { draft: true }).logits.at(-1)!];
    const unrounded = await ServingRunner.open(folder, dropped);
    const exact = unrounded.run(golden.prompt_ids, { draft: true }).logits.at(-1)!;
    expect(relativeError(draft, expected)).toBeLessThan(0.06);
    expect(relativeError(draft, expected)).toBeLessThan(0.5 * relativeError(exact, expected));
    for (const each of [runner, reference, unrounded]) each.dispose();
  });

  test.each(ROUNDINGS)('a draft with a reduced %s head has the logits of the whole one', async (rounding) => {
    const { folder, golden } = await openGolden(name);
    await using scratch = await temporaryFolder();
    const vocabulary = Array.from({ length: 50 }, (_, i) => 7 * i + 1);
    const outDir = join(scratch.path, 'artifact');
    await using staged = await openStage(folder, stageOptions(outDir));
    await staged.addReducedHeads([{ rounding, vocabulary }]);
    const plan = { dropped: [], [rounding]: listUnits(folder.config.numLayers), head: rounding };
    const whole = await ServingRunner.openPlan(folder, plan, staged.dir);
    const reduced = await ServingRunner.openPlan(folder, { ...plan, vocabulary }, staged.dir);
    expect(whole.spec.draftVocabulary).toBeUndefined();
    expect(reduced.spec.draftVocabulary).toEqual(vocabulary);
    for (const ids of [golden.prompt_ids, golden.prompt_ids.slice(0, 1)]) {
      const expected = whole.run(ids, { draft: true }).logits;
      for (const [i, row] of reduced.run(ids, { draft: true }).logits.entries()) {
        expect(row).toHaveLength(vocabulary.length);
        expect(
          relativeError(
            row,
            vocabulary.map((id) => expected[i]![id]!),
          ),
        ).toBeLessThan(1e-6);
      }
    }
    const target = reduced.run(golden.prompt_ids).logits.at(-1)!;
    expect(relativeError(target, golden.logits[2]!)).toBeLessThan(1e-4);
    for (const each of [whole, reduced]) each.dispose();
  });
});

describe.each([...GOLDEN_MODELS])('a target of int4 of %s', (name) => {
  test('is the model with dequantized weights, in float32', async () => {
    const { folder, golden } = await openGolden(name);
    await using scratch = await temporaryFolder();
    await writeTargetFile(folder, scratch.path);
    const target = await ServingRunner.open(roundedFolder(folder, scratch.path));
    const reference = await ServingRunner.open(await dequantizedFolder(folder, scratch.path, () => 'int4'));
    const [found, expected] = [target, reference].map((runner) => runner.run(golden.prompt_ids).logits);
    for (const [row, logits] of found!.entries()) {
      expect(relativeError(logits, [...expected![row]!])).toBeLessThan(2e-5);
    }
    expect(relativeError(found!.at(-1)!, golden.logits[2]!)).toBeGreaterThan(0.01);
    for (const each of [target, reference]) each.dispose();
  });

  test('wide runs and narrow ones differ by less than 1e-4, those of its drafts by more', async () => {
    const { folder, golden } = await openGolden(name);
    await using scratch = await temporaryFolder();
    await writeTargetFile(folder, scratch.path);
    const units = listUnits(folder.config.numLayers);
    const plan = { dropped: [], int4: units, head: 'int4' } as const;
    const rounded = roundedFolder(folder, scratch.path);
    const wide = await ServingRunner.openPlan(rounded, plan, scratch.path);
    const narrow = await ServingRunner.openPlan(rounded, plan, scratch.path);
    const ids = [...golden.prompt_ids, ...golden.greedy].slice(0, 40);
    const differences = { target: 0, draft: 0 };
    for (let from = 0; from < ids.length; from += 8) {
      const part = ids.slice(from, from + 8);
      const drafted = wide.run(part, { draft: true }).logits;
      const together = wide.step(part);
      for (const [row, id] of part.entries()) {
        const draft = narrow.run([id], { draft: true }).logits[0]!;
        const [alone] = narrow.step([id]);
        const compare = (kind: keyof typeof differences, a: Float32Array, b: Float32Array) => {
          differences[kind] = Math.max(differences[kind], relativeError(a, [...b]));
        };
        compare('target', together[row]!, alone!);
        compare('draft', drafted[row]!, draft);
      }
    }
    expect(differences.target).toBeLessThan(1e-4);
    expect(differences.draft).toBeGreaterThan(1e-4);
    for (const each of [wide, narrow]) each.dispose();
  });
});

/** [sum of rows, K] */
async function dequantizedRows(
  folder: ModelFolder,
  sources: readonly string[],
  columns: number,
  rounding: Rounding,
): Promise<Float32Array> {
  const parts: number[] = [];
  for (const source of sources) {
    const values = await readTensor(folder, source);
    const rows = values.length / columns;
    parts.push(...dequantize(roundMatrix(values, columns, rounding), rows, columns, rounding));
  }
  return Float32Array.from(parts);
}

/** x [S, K] by W^T, row-major. */
function multiply(x: Float32Array, matrix: Float32Array, columns: number): number[] {
  const rows = splitRows(matrix, matrix.length / columns);
  return splitRows(x, x.length / columns).flatMap((input) =>
    rows.map((row) => row.reduce((sum, weight, i) => sum + weight * input[i]!, 0)),
  );
}

/** The model with each product's weights rounded and restored, as float32. The embedding's rows stay as they are. */
async function dequantizedFolder(
  folder: ModelFolder,
  dir: string,
  roundingOf: (tensor: string) => Rounding,
): Promise<ModelFolder> {
  const tensors = new Map<string, TensorRef>();
  const chunks: Float32Array[] = [];
  let offsetBytes = 0;
  const add = (name: string, shape: readonly number[], values: Float32Array) => {
    const lengthBytes = values.byteLength;
    tensors.set(name, { name, dtype: 'F32', shape, file: 'restored.bin', offsetBytes, lengthBytes });
    chunks.push(values);
    offsetBytes += lengthBytes;
  };
  const restore = (values: Float32Array, [rows, columns]: readonly number[], rounding: Rounding) =>
    dequantize(roundMatrix(values, columns!, rounding), rows!, columns!, rounding);
  for (const { name, shape } of folder.tensors.values()) {
    const values = await readTensor(folder, name);
    const isProduct = name.includes('_proj.weight') || name === 'lm_head.weight';
    add(name, shape, isProduct ? restore(values, shape, roundingOf(name)) : values);
  }
  const { tiedEmbeddings } = folder.config;
  if (tiedEmbeddings) {
    const { shape } = folder.tensors.get('model.embed_tokens.weight')!;
    const embedding = await readTensor(folder, 'model.embed_tokens.weight');
    add('lm_head.weight', shape, restore(embedding, shape, roundingOf('lm_head.weight')));
  }
  await writeFile(join(dir, 'restored.bin'), Buffer.concat(chunks.map((c) => Buffer.from(c.buffer))));
  return { ...folder, dir, tensors, config: { ...folder.config, tiedEmbeddings: false } };
}
