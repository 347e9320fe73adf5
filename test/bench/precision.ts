/**
 * Which precisions can a lossless target have? `bun test/bench/precision.ts [DIR]`: the logits of a text in steps of one token
 * and in steps of 8 must say the same, or a text depends on how much was drafted and with whom it was batched. For each
 * precision the largest difference of a logit, and the positions at which another token follows, greedy and with the noise
 * of temperature 1; then the likelihood. A minute or two on 2 cores; ends with a line of JSON.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStage } from '../../src/build/stage.ts';
import type { ModelRunner, StepMode } from '../../src/engine/model.ts';
import { Profiler } from '../../src/engine/profiler.ts';
import { openSessionModel } from '../../src/engine/session-model.ts';
import { buildServingGraph } from '../../src/graph/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { gumbel, noiseBits, noiseKey } from '../../src/lib/random.ts';
import { listUnits } from '../../src/lib/units.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { roundedFolder } from '../../src/quant/index.ts';
import { STORIES_DIR } from '../golden/models.ts';

const WIDTH = 8;
const SEQUENCES = 14;

const sequences: number[][] = JSON.parse(
  readFileSync(new URL('./data/stories-sampled.json', import.meta.url), 'utf8'),
);
const folder = await readModelFolder(process.argv[2] ?? STORIES_DIR);
const units = listUnits(folder.config.numLayers);
const scratch = await mkdtemp(join(tmpdir(), 'sdfp-precision-'));
const shared = { signal: undefined, onProgress: () => {} };
await using stored = await openStage(folder, {
  ...shared,
  outDir: join(scratch, 'stored'),
  roundings: ['int8'],
});
await using rounded = await openStage(folder, {
  ...shared,
  outDir: join(scratch, 'rounded'),
  targetPrecision: 'int4',
  roundings: [],
});

/** Each session has a target and, as its draft, another precision of the whole model. */
const int8 = await open(folder, stored.dir, { dropped: [], int8: units, head: 'int8' });
const int4 = await open(roundedFolder(folder, rounded.dir), rounded.dir, {
  dropped: [],
  int4: units,
  head: 'int4',
});
const arms = [
  ['float32', int8, 'target'],
  ['8-bit weights, 8-bit activations', int8, 'draft'],
  ['4-bit weights, float32 activations', int4, 'target'],
  ['4-bit weights, 8-bit activations', int4, 'draft'],
] as const;

const rows = arms.map(([name, model, mode]) => ({ name, ...compare(model, mode) }));
for (const { name, median, most, positions, greedy, sampled, nll } of rows) {
  console.log(
    `${name.padEnd(36)} logits differ by ${median.toExponential(1)}, at most ${most.toExponential(1)}; of ${positions} tokens ${greedy} flip, ${sampled} at T = 1; ${nll.toFixed(4)} nats`,
  );
}
console.log(JSON.stringify({ machine: describeMachine(), width: WIDTH, rows }));
await int8.dispose();
await int4.dispose();
await rm(scratch, { recursive: true });

async function open(
  of: typeof folder,
  weightsDir: string,
  plan: Parameters<typeof buildServingGraph>[1],
): Promise<ModelRunner> {
  const { bytes: graph, spec } = buildServingGraph(of, plan);
  return openSessionModel({ graph, weightsDir, spec }, new Profiler());
}

/** Narrow and wide runs over the same texts. */
function compare(model: ModelRunner, mode: StepMode) {
  const differences: number[] = [];
  let [greedy, sampled, nll] = [0, 0, 0];
  for (const [s, ids] of sequences.slice(0, SEQUENCES).entries()) {
    const [narrow, wide] = [1, WIDTH].map((width) => logitsOf(model, mode, ids, width));
    for (const [t, a] of narrow!.entries()) {
      const b = wide![t]!;
      differences.push(a.reduce((most, logit, id) => Math.max(most, Math.abs(logit - b[id]!)), 0));
      if (chooseToken(a) !== chooseToken(b)) greedy++;
      const key = noiseKey(s, t);
      const noise = a.map((_, id) => gumbel(noiseBits(key, id)));
      if (chooseToken(a, noise) !== chooseToken(b, noise)) sampled++;
      const next = ids[t + 1];
      if (next !== undefined) nll += Math.log(a.reduce((sum, x) => sum + Math.exp(x - a[next]!), 0));
    }
  }
  differences.sort((a, b) => a - b);
  const positions = differences.length;
  const median = differences[positions >> 1]!;
  return {
    median,
    most: differences.at(-1)!,
    positions,
    greedy,
    sampled,
    nll: nll / (positions - SEQUENCES),
  };
}

function logitsOf(model: ModelRunner, mode: StepMode, ids: readonly number[], width: number): Float32Array[] {
  const sequence = model.openSequence();
  const rows: Float32Array[] = [];
  for (let from = 0; from < ids.length; from += width) {
    const part = ids.slice(from, from + width);
    const logits = sequence.forward(part, part.length, mode);
    for (const row of part.keys())
      rows.push(logits.slice(row * model.vocabSize, (row + 1) * model.vocabSize));
  }
  sequence.dispose();
  return rows;
}

function chooseToken(logits: Float32Array, noise?: Float32Array): number {
  let best = 0;
  const scoreOf = (id: number) => logits[id]! + (noise?.[id] ?? 0);
  for (let id = 1; id < logits.length; id++) if (scoreOf(id) > scoreOf(best)) best = id;
  return best;
}
