import { describe, expect, test } from 'bun:test';
import { createAccumulator } from '../../src/fit/accumulator.ts';
import { findMethod, openScorer, type ScoreResult, scoreSequences } from '../../src/fit/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import {
  GOLDEN_MODELS,
  type GoldenBlockScores,
  type GoldenLayerScores,
  goldenDir,
  readGolden,
} from '../golden/models.ts';

const relativeLimit = 1e-3;

function expectClose(found: number | undefined, wanted: number, limit = relativeLimit): void {
  expect(Math.abs(found! - wanted) / Math.abs(wanted)).toBeLessThan(limit);
}

describe.each([...GOLDEN_MODELS])('golden scores of %s', (name) => {
  const golden = readGolden(name);
  const sequences = golden.fisher.sequences.map(({ ids }) => ids);
  const { layers } = golden.fisher;
  const folder = readModelFolder(goldenDir(name));
  const score = async (method: string): Promise<ScoreResult> =>
    scoreSequences(await folder, method, sequences);
  const expectUnits = (result: ScoreResult, wanted: (block: GoldenBlockScores) => number) => {
    const blocks = layers.flatMap(({ attn, mlp }) => [attn, mlp]);
    expect(result.units.map((unit) => unit.name)).toEqual([...golden.fisher.units]);
    result.units.forEach((unit, u) => {
      expectClose(unit.score, wanted(blocks[u]!));
    });
  };
  const expectLayers = (result: ScoreResult, wanted: (layer: GoldenLayerScores) => number) => {
    expect(result.layers).toHaveLength(layers.length);
    result.layers.forEach((found, l) => {
      expectClose(found, wanted(layers[l]!));
    });
  };

  test('fit: the matrix of interactions, its diagonal and the layers', async () => {
    const result = await score('fit');
    const wanted = golden.fisher.fit_matrix;
    expect(result.matrix).toHaveLength(wanted.length);
    wanted.forEach((row, u) => {
      row.forEach((entry, v) => {
        const scale = Math.sqrt(row[u]! * wanted[v]![v]!);
        expect(Math.abs(result.matrix![u]![v]! - entry) / scale).toBeLessThan(1e-3);
      });
    });
    expectUnits(result, (block) => block.fit_act_tok);
    expectLayers(result, (layer) => layer.fit_act_tok);
  });

  test('fit-gate', async () => {
    const result = await score('fit-gate');
    expectUnits(result, (block) => block.fit_act_tok);
    expectLayers(result, (layer) => layer.fit_act_tok);
    expect(result.matrix).toBeUndefined();
  });

  test('fit-trace', async () => expectLayers(await score('fit-trace'), (layer) => layer.fit_trace));

  test('fit-diag', async () => expectLayers(await score('fit-diag'), (layer) => layer.fit_diag));

  test('cosine', async () => {
    const result = await score('cosine');
    expectUnits(result, (block) => block.bi);
    expectLayers(result, (layer) => layer.bi);
  });

  test('nll and the squared gradients of every tensor', async () => {
    const scorer = await openScorer(await folder, findMethod('fit-trace'));
    const measured = sequences.map((ids) => scorer.measure(ids));
    scorer.dispose();
    measured.forEach(({ nll }, s) => {
      expectClose(nll, golden.nll[s]!, 1e-4);
    });
    const { tensors } = scorer.facts;
    expect(tensors).toHaveLength(layers.reduce((sum, layer) => sum + Object.keys(layer.tensors).length, 0));
    tensors.forEach(({ name: tensor, size, thetaSq }, i) => {
      const [layer, short] = splitName(tensor);
      const wanted = layers[layer]!.tensors[short]!;
      const mean = (row: number) =>
        measured.reduce((sum, { values }) => sum + values[row * tensors.length + i]!, 0) / measured.length;
      expect(size).toBe(wanted.shape.reduce((product, dim) => product * dim, 1));
      expectClose(thetaSq, wanted.theta_sq);
      expectClose(mean(0), wanted.grad_sq);
      expectClose(mean(1), wanted.grad_sq_theta_sq);
      if (layer > 0) return;
      measured.forEach(({ values }, s) => {
        expectClose(values[i], golden.fisher.layer0_grad_sq_per_sequence[short]![s]!);
      });
    });
  });
});

test('scores say how uncertain they are', async () => {
  const folder = await readModelFolder(goldenDir('smollm2-tied'));
  const method = findMethod('fit');
  const scorer = await openScorer(folder, method);
  try {
    const accumulator = createAccumulator(method, scorer.facts);
    expect(accumulator.relativeStandardError()).toBe(Number.POSITIVE_INFINITY);
    for (let s = 0; s < 8; s++) accumulator.add(scorer.measure([1, 2 + s, 3, 5 * s, 8, 13 + s]));
    const early = accumulator.relativeStandardError();
    for (let s = 8; s < 64; s++) accumulator.add(scorer.measure([1, 2 + s, 3, 5 * s, 8, 13 + s]));
    expect(accumulator.relativeStandardError()).toBeLessThan(early);
  } finally {
    scorer.dispose();
  }
});

test.each([
  [[1], /at least two/],
  [[1, 384], /found the id 384, needs integers from 0 to 383/],
  [[1, -2], /found the id -2/],
  [[1, 2.5], /found the id 2.5/],
])('ids %p are refused', async (ids, problem) => {
  const folder = await readModelFolder(goldenDir('smollm2-tied'));
  await expect(scoreSequences(folder, 'fit', [ids])).rejects.toThrow(problem);
});

/** `model.layers.3.mlp.up_proj.weight` as [3, `mlp.up_proj.weight`]. */
function splitName(name: string): [number, string] {
  const [, , layer, ...rest] = name.split('.');
  return [Number(layer), rest.join('.')];
}
