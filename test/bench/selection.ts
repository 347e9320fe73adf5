/**
 * Kept share against agreement for every scoring method on the stories model: `bun test/bench/selection.ts`.
 * Scores come from one half of the sequences, agreement from the other. `data/stories-sampled.json` is text that the
 * model itself wrote (`sampleSequences`, seed 24, up to 256 tokens). About two minutes on 2 cores; ends with a line of JSON.
 */
import { readFileSync } from 'node:fs';
import { openAgreementMeter } from '../../src/build/draft-agreement.ts';
import { methodNames, scoreSequences } from '../../src/fit/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { selectUnits } from '../../src/plan/select.ts';
import { STORIES_DIR } from '../golden/models.ts';

const keptShares = [3 / 4, 1 / 2, 3 / 8, 1 / 4];

const sequences: number[][] = JSON.parse(
  readFileSync(new URL('./data/stories-sampled.json', import.meta.url), 'utf8'),
);
const half = sequences.length / 2;
const folder = await readModelFolder(STORIES_DIR);
const meter = await openAgreementMeter(folder, sequences.slice(half));
const numUnits = 2 * folder.config.numLayers;

console.log(`method      ${keptShares.map((share) => share.toFixed(3).padStart(7)).join('')}`);
const rows: object[] = [];
for (const method of methodNames) {
  const scores = await scoreSequences(folder, method, sequences.slice(0, half), { seed: 1 });
  const agreement: number[] = [];
  for (const share of keptShares) {
    const dropped = selectUnits(scores, Math.round((1 - share) * numUnits));
    agreement.push(await meter.measure({ dropped }));
  }
  rows.push({ method, agreement });
  console.log(`${method.padEnd(12)}${agreement.map((value) => value.toFixed(3).padStart(7)).join('')}`);
}
console.log(JSON.stringify({ model: 'stories', sequences: half, keptShares, rows }));
