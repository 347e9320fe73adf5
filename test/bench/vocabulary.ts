/**
 * What a draft gains whose LM head has rows for the most frequent tokens only: `bun test/bench/vocabulary.ts [DIR] [ROUNDS]
 * [SEQUENCES]`. Tokens are counted in text that the model writes itself, as a build does; every draft has a session of its own in
 * this process, and they take turns. Prints, for each rounding and size, the share of held-out text in the vocabulary, the
 * draft step over a plain step (median of the turns), acceptance, the speed-up that follows, and the one measured.
 * Ends with a line of JSON. About 3 minutes on 2 idle cores.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareDraft, measureDraft, measuringRequests } from '../../src/build/measure-draft.ts';
import { openStage } from '../../src/build/stage.ts';
import { sampleBuildText, take } from '../../src/build/text.ts';
import { createEngine, MAX_CHOSEN_DRAFT_LENGTH } from '../../src/engine/index.ts';
import { buildServingGraph } from '../../src/graph/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { median } from '../../src/lib/median.ts';
import { bestDraftLength } from '../../src/lib/speedup.ts';
import { listUnits } from '../../src/lib/units.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { measureTypicalSteps } from '../../src/measure/typical-steps.ts';
import { coverageOf, selectVocabulary } from '../../src/plan/vocabulary.ts';
import { STORIES_DIR } from '../golden/models.ts';

const [dir = STORIES_DIR, rounds = '5', sequences = '13'] = process.argv.slice(2);
const folder = await readModelFolder(dir);
const { vocabSize, numLayers } = folder.config;
const text = await sampleBuildText(folder, buildServingGraph(folder, { dropped: [] }), { seed: 0 });
const statistics = {
  sequences: await take(text.calibration, Number(sequences)),
  vocabSize,
  always: folder.generation.eosTokenIds,
};
await text[Symbol.asyncDispose]();
const held = text.unseen.flat();
const requests = measuringRequests(text.heldOut);

const roundings = ['int8', 'int4'] as const;
const sizes = [1, 2, 4, 8].map((divisor) => Math.floor(vocabSize / divisor));
const scratch = mkdtempSync(join(tmpdir(), 'sdfp-vocabulary-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
const stage = await openStage(folder, {
  outDir: join(scratch, 'artifact'),
  roundings,
  signal: undefined,
  onProgress: () => {},
});
await stage.addReducedHeads(
  roundings.flatMap((rounding) =>
    sizes.slice(1).map((size) => ({ rounding, vocabulary: selectVocabulary(statistics, size) })),
  ),
);

const arms = await Promise.all(
  roundings.flatMap((rounding) =>
    sizes.map(async (size) => {
      const vocabulary = selectVocabulary(statistics, size);
      const plan = { dropped: [], [rounding]: listUnits(numLayers), head: rounding };
      const { bytes: graph, spec } = buildServingGraph(folder, {
        ...plan,
        ...(size < vocabSize && { vocabulary }),
      });
      const engine = await createEngine({ graph, spec, weightsDir: stage.dir, prefixCacheBytes: 0 });
      const known = new Set(vocabulary);
      const coverage = {
        estimated: size === vocabSize ? 1 : coverageOf(statistics, [size])[0]!,
        heldOut: held.filter((id) => known.has(id)).length / held.length,
      };
      const steps: number[] = [];
      return {
        rounding,
        size,
        engine,
        coverage,
        steps,
        speedups: [] as number[],
        ratios: [] as number[],
        acceptance: 0,
      };
    }),
  ),
);
for (const arm of arms) arm.acceptance = (await measureDraft(arm.engine, requests)).acceptanceRate!;
for (let round = 0; round < Number(rounds); round++) {
  for (const arm of round % 2 === 0 ? arms : arms.toReversed()) {
    const costs = measureTypicalSteps(arm.engine, MAX_CHOSEN_DRAFT_LENGTH + 1);
    arm.steps.push(costs.draftMs / costs.targetMs[0]!);
    arm.speedups.push(bestDraftLength(arm.acceptance, costs, MAX_CHOSEN_DRAFT_LENGTH).speedup);
    arm.ratios.push((await compareDraft(arm.engine, requests, 1)).ratio);
  }
}

console.log('draft   tokens  covered  held-out    step  accepted  predicted  measured');
const rows = arms.map(({ rounding, size, coverage, steps, acceptance, speedups, ratios }) => {
  const row = {
    rounding,
    size,
    coverage,
    step: median(steps),
    acceptance,
    predicted: median(speedups),
    measured: median(ratios),
  };
  const figures = [coverage.estimated, coverage.heldOut, row.step, acceptance, row.predicted, row.measured];
  console.log(
    `${rounding}  ${String(size).padStart(8)}${figures.map((value) => value.toFixed(3).padStart(9)).join(' ')}`,
  );
  return { ...row, steps, ratios };
});
console.log(JSON.stringify({ machine: describeMachine(), sequences: Number(sequences), rows }));
for (const { engine } of arms) await engine.dispose();
await stage[Symbol.asyncDispose]();
