/**
 * What a target of 4 bits costs beside one as stored: `bun test/bench/target-steps.ts [SHAPE] [ROUNDS]`. Step times of a model
 * of that shape with random weights, and what a draft of all layers would gain by its acceptance; the two take turns, each
 * in a session that is alone. About two minutes for smollm2-135m; ends with a line of JSON.
 */
import { MAX_CHOSEN_DRAFT_LENGTH } from '../../src/engine/index.ts';
import { bestDraftLength, type StepCosts } from '../../src/lib/speedup.ts';
import { listUnits } from '../../src/lib/units.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { SHAPES } from '../../src/measure/shape/index.ts';
import { measurePlan } from '../../src/measure/shape/measure-plan.ts';
import { writeRandomModel, writeRandomRounded } from '../../src/measure/shape/random-model.ts';
import { openScratchFolder } from '../../src/measure/shape/scratch-folder.ts';
import type { DraftPlan } from '../../src/plan/types.ts';
import { layoutRoundedFile, roundedFolder, writeTargetFile } from '../../src/quant/index.ts';

const ACCEPTANCES = [0.8, 0.9, 0.95, 0.98];

const [shape = 'smollm2-135m', rounds = '3'] = process.argv.slice(2);
using scratch = await openScratchFolder();
const writing = { signal: new AbortController().signal, onProgress: () => {} };
const stored = await writeRandomModel(scratch.path, SHAPES[shape], writing);
await writeRandomRounded(scratch.path, layoutRoundedFile(stored.config, 'int8'), writing);
await writeTargetFile(stored, scratch.path);
const units = listUnits(stored.config.numLayers);
const arms = [
  { name: 'float32', folder: stored, plan: { dropped: [], int8: units, head: 'int8' } },
  {
    name: '4 bits',
    folder: roundedFolder(stored, scratch.path),
    plan: { dropped: [], int4: units, head: 'int4' },
  },
] satisfies { name: string; folder: typeof stored; plan: DraftPlan }[];

const rows: { name: string; costs: StepCosts; speedups: number[] }[] = [];
for (let round = 0; round < Number(rounds); round++) {
  for (const { name, folder, plan } of round % 2 === 0 ? arms : arms.toReversed()) {
    const options = { rounds: 1, runtime: {}, signal: writing.signal } as const;
    const costs = await measurePlan(folder, plan, options, () => {});
    const speedups = ACCEPTANCES.map(
      (acceptance) => bestDraftLength(acceptance, costs, MAX_CHOSEN_DRAFT_LENGTH).speedup,
    );
    rows.push({ name, costs, speedups });
    console.log(
      `${name.padEnd(8)} target by new tokens ${costs.targetMs.map((ms) => ms.toFixed(1)).join(' ')} ms, draft ${costs.draftMs.toFixed(1)} ms; at acceptance ${ACCEPTANCES.join(', ')}: ${speedups.map((speedup) => speedup.toFixed(2)).join(', ')} times`,
    );
  }
}
console.log(JSON.stringify({ machine: describeMachine(), shape, rows }));
