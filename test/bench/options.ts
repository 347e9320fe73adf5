/**
 * What the scores predict against what drafts do, on the stories model: `bun test/bench/options.ts`. Every row is a draft:
 * units dropped from int8 or int4 by the scores of removal, or each part treated as loses least (`mixed`). `predicted`:
 * KL divergence in nats per token from the scores of one half of the sequences; `agreement`: one step ahead on the other
 * half. `data/stories-sampled.json` as in `selection.ts`. About a minute on 2 cores; ends with a line of JSON.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Candidate, proposeDrafts } from '../../src/build/candidates.ts';
import { openAgreementMeter } from '../../src/build/draft-agreement.ts';
import { openStage } from '../../src/build/stage.ts';
import { scoreSequences } from '../../src/fit/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { STORIES_DIR } from '../golden/models.ts';

const KEPT_SHARES = [1, 15 / 16, 7 / 8, 3 / 4, 5 / 8];

const sequences: number[][] = JSON.parse(
  await readFile(new URL('./data/stories-sampled.json', import.meta.url), 'utf8'),
);
const half = sequences.length / 2;
const predictedTokens = sequences.slice(0, half).reduce((sum, ids) => sum + ids.length - 1, 0) / half;
const folder = await readModelFolder(STORIES_DIR);
const scratch = await mkdtemp(join(tmpdir(), 'sdfp-options-'));
try {
  await using stage = await openStage(folder, {
    outDir: join(scratch, 'artifact'),
    roundings: ['int8', 'int4'],
    signal: undefined,
    onProgress: () => {},
  });
  const scores = await scoreSequences(folder, 'fit', sequences.slice(0, half), {
    roundings: ['int8', 'int4'],
    weightsDir: stage.dir,
  });
  const meter = await openAgreementMeter(folder, sequences.slice(half), { weightsDir: stage.dir });
  const propose = (keep?: number) => proposeDrafts(folder, scores, { keep, draftMemoryBytes: undefined });
  const candidates = [...KEPT_SHARES.flatMap(propose), ...propose().filter(isMixed)];

  console.log('draft            MB   dropped  4 bits  8 bits  predicted  agreement');
  const rows: object[] = [];
  for (const { name, plan, extraBytes, predictedLoss } of candidates.toSorted(byPrediction)) {
    const agreement = await meter.measure(plan);
    const kl = predictedLoss! / predictedTokens;
    const counts = [plan.dropped, plan.int4 ?? [], plan.int8 ?? []].map(({ length }) => length);
    rows.push({ name, megabytes: extraBytes / 1e6, counts, kl, agreement });
    console.log(
      `${name.padEnd(14)}${(extraBytes / 1e6).toFixed(1).padStart(5)}${counts.map((n) => `${n}`.padStart(8)).join('')}` +
        `${kl.toFixed(5).padStart(13)}${agreement.toFixed(3).padStart(11)}`,
    );
  }
  console.log(JSON.stringify({ model: 'stories', sequences: half, rows }));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

function isMixed({ name }: Candidate): boolean {
  return name.startsWith('mixed-');
}

function byPrediction(a: Candidate, b: Candidate): number {
  return a.predictedLoss! - b.predictedLoss!;
}
