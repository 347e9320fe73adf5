/**
 * What a draft gains whose LM head has rows for the most frequent tokens only: `bun test/bench/vocabulary.ts [DIR] [ROUNDS]
 * [SEQUENCES]`. Tokens are counted in text that the model writes itself, as a build does; every draft has a session of its
 * own in this process, and they take turns. Prints, for each rounding and size, the share of the text in the vocabulary of
 * the rest of it, that of held-out text in the vocabulary, milliseconds of a draft step (the least of all turns, for
 * contention only ever adds), acceptance, the speed-up that follows, and the one measured (median of the rounds).
 * Ends with a line of JSON. About 3 minutes on 2 idle cores.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareDraft, measureDraft, measuringRequests } from '../../src/build/measure-draft.ts';
import { openStage } from '../../src/build/stage.ts';
import { sampleBuildText, take } from '../../src/build/text.ts';
import { createEngine, type LocalEngine, MAX_CHOSEN_DRAFT_LENGTH } from '../../src/engine/index.ts';
import { buildServingGraph } from '../../src/graph/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { median } from '../../src/lib/median.ts';
import { bestDraftLength, type StepCosts } from '../../src/lib/speedup.ts';
import { listUnits } from '../../src/lib/units.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { measureTypicalSteps } from '../../src/measure/typical-steps.ts';
import { coverageOf, selectVocabulary } from '../../src/plan/vocabulary.ts';
import type { Rounding } from '../../src/quant/index.ts';
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

/** A draft, with what was measured of it. */
interface Arm {
  readonly rounding: Rounding;
  /** V' */
  readonly size: number;
  readonly covered: number;
  readonly heldOut: number;
  readonly acceptance: number;
  readonly engine: LocalEngine;
  readonly costs: StepCosts[];
  readonly ratios: number[];
}

const arms: Arm[] = [];
for (const rounding of roundings) {
  for (const size of sizes) {
    const vocabulary = selectVocabulary(statistics, size);
    const plan = { dropped: [], [rounding]: listUnits(numLayers), head: rounding };
    const reduced = size < vocabSize && { vocabulary };
    const { bytes: graph, spec } = buildServingGraph(folder, { ...plan, ...reduced });
    const engine = await createEngine({ graph, spec, weightsDir: stage.dir, prefixCacheBytes: 0 });
    const known = new Set(vocabulary);
    const heldOut = held.filter((id) => known.has(id)).length / held.length;
    const covered = reduced ? coverageOf(statistics, [size])[0]! : 1;
    const acceptance = (await measureDraft(engine, requests)).acceptanceRate!;
    arms.push({ rounding, size, covered, heldOut, acceptance, engine, costs: [], ratios: [] });
  }
}
const inTurn = (round: number) => (round % 2 === 0 ? arms : arms.toReversed());
for (let round = 0; round < 4 * Number(rounds); round++) {
  for (const { engine, costs } of inTurn(round)) {
    costs.push(measureTypicalSteps(engine, MAX_CHOSEN_DRAFT_LENGTH + 1));
  }
}
for (let round = 0; round < Number(rounds); round++) {
  for (const { engine, ratios } of inTurn(round))
    ratios.push((await compareDraft(engine, requests, 1)).ratio);
}

// Target steps are the same in all sessions.
const all = arms.flatMap(({ costs }) => costs);
const targetMs = all[0]!.targetMs.map((_, i) => Math.min(...all.map((costs) => costs.targetMs[i]!)));
const rows = arms.map(({ engine: _, costs, ...arm }) => {
  const draftMs = Math.min(...costs.map((each) => each.draftMs));
  const firstMs = Math.min(...costs.map((each) => each.draftMs + each.draftStartMs));
  const least = { draftMs, draftStartMs: firstMs - draftMs, targetMs };
  const predicted = bestDraftLength(arm.acceptance, least, MAX_CHOSEN_DRAFT_LENGTH).speedup;
  return { ...arm, draftMs, predicted, measured: median(arm.ratios) };
});
console.log(`plain step ${targetMs[0]!.toFixed(3)} ms`);
console.log('draft   tokens  covered  held-out  draft ms  accepted  predicted  measured');
for (const { rounding, size, covered, heldOut, draftMs, acceptance, predicted, measured } of rows) {
  const figures = [covered, heldOut, draftMs, acceptance, predicted, measured];
  console.log(
    `${rounding}  ${String(size).padStart(8)}${figures.map((value) => value.toFixed(3).padStart(9)).join(' ')}`,
  );
}
const settings = { rounds: Number(rounds), sequences: Number(sequences) };
console.log(JSON.stringify({ machine: describeMachine(), settings, targetMs, rows }));
for (const { engine } of arms) await engine.dispose();
await stage[Symbol.asyncDispose]();
