import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { openStage } from '../../src/build/stage.ts';
import { findMethod, openScorer } from '../../src/fit/index.ts';
import { sequenceFeeds } from '../../src/fit/sequence-feeds.ts';
import { buildSequenceForward } from '../../src/graph/loss.ts';
import { type ModelFolder, readModelFolder } from '../../src/hf/index.ts';
import { median } from '../../src/lib/median.ts';
import { HEAD_PART, listUnits, unitName } from '../../src/lib/units.ts';
import { encodeModel, GraphBuilder } from '../../src/onnx/index.ts';
import type { Rounding } from '../../src/quant/index.ts';
import { openSession } from '../../src/runtime/index.ts';
import { temporaryFolder } from '../artifact/example.ts';
import { goldenDir, readGolden } from '../golden/models.ts';

const ROUNDINGS = ['int8', 'int4'] as const;

/** Negative log likelihood of a sequence with one part rounded, or none. */
async function nllOf(
  folder: ModelFolder,
  weightsDir: string,
  ids: readonly number[],
  rounded?: { part: string; rounding: Rounding },
): Promise<number> {
  const g = new GraphBuilder();
  const gate = { skipWhen: g.constant([1], 'bool', [1]), instead: rounded?.rounding ?? 'int8' };
  const { nll } = buildSequenceForward(g, {
    folder,
    modeOf: (unit) => (unitName(unit) === rounded?.part ? gate : 'on'),
    headGate: rounded?.part === HEAD_PART ? gate : undefined,
  });
  g.output('nll', nll);
  const session = await openSession({ graph: encodeModel(g.build()), weightsDir, threads: 1 });
  const value = (session.run(sequenceFeeds(ids), ['nll']).nll!.data as Float32Array)[0]!;
  session.dispose();
  return value;
}

describe.each(['smollm2-tied', 'qwen3-v5config', 'mistral-f16'] as const)('options of %s', (name) => {
  test('what rounding a part does to the likelihood is what its row adds up to', async () => {
    const folder = await readModelFolder(goldenDir(name));
    const { ids } = readGolden(name).fisher.sequences[0]!;
    await using scratch = await temporaryFolder();
    const outDir = join(scratch.path, 'artifact');
    await using stage = await openStage(folder, {
      outDir,
      roundings: ROUNDINGS,
      signal: undefined,
      onProgress: () => {},
    });
    const scorer = await openScorer(folder, findMethod('fit'), {
      roundings: ROUNDINGS,
      weightsDir: stage.dir,
    });
    const { values, nll, length } = scorer.measure(ids);
    const result = scorer.method.scores(
      scorer.method.summarize({ values, nll, length }, scorer.facts),
      scorer.facts,
    );
    scorer.dispose();
    const parts = [...listUnits(folder.config.numLayers).map(unitName), HEAD_PART];
    const { options, matrix } = result.options!;
    expect(options).toHaveLength(parts.length - 1 + 2 * parts.length);
    const firstRounded = 3 * folder.config.numLayers;
    const exact = await nllOf(folder, stage.dir, ids);
    expect(exact).toBeCloseTo(nll, 3);
    for (const [r, rounding] of ROUNDINGS.entries()) {
      const errors: number[] = [];
      for (const [p, part] of parts.entries()) {
        const row = firstRounded + r * parts.length + p;
        const losses = values.subarray(row * length, (row + 1) * length);
        const squares = losses.reduce((sum, loss) => sum + loss * loss, 0);
        const index = options.findIndex((option) => option.part === part && option.kind === rounding);
        expect(matrix[index]![index]! / squares).toBeCloseTo(1, 4);
        const predicted = -losses.reduce((sum, loss) => sum + loss, 0);
        const measured = (await nllOf(folder, stage.dir, ids, { part, rounding })) - exact;
        errors.push(Math.abs(predicted - measured) / Math.abs(measured));
      }
      // What is left is of second order, and the steps of 4 bits are long.
      expect(median(errors)).toBeLessThan(rounding === 'int8' ? 0.06 : 0.5);
    }
  });
});

test('other methods, and fit without rounded weights, score removals alone', async () => {
  const folder = await readModelFolder(goldenDir('smollm2-tied'));
  const { ids } = readGolden('smollm2-tied').fisher.sequences[0]!;
  const scorer = await openScorer(folder, findMethod('fit'));
  const { options } = scorer.method.scores(
    scorer.method.summarize(scorer.measure(ids), scorer.facts),
    scorer.facts,
  );
  scorer.dispose();
  expect(options!.options.every(({ kind }) => kind === 'drop')).toBe(true);
  const gate = await openScorer(folder, findMethod('fit-gate'), { roundings: ROUNDINGS });
  expect(gate.facts.roundings).toEqual([]);
  gate.dispose();
});
