/**
 * Is the draft length that the engine chooses as good as the best fixed one? `bun test/bench/draft-length.ts [DIR] [DRAFT]
 * [ROUNDS]`: every workload at two temperatures, plain, chosen and fixed lengths in turns within this process, the order
 * reversed each round. Prints plain time over each one's time; ends with a line of JSON. About 40 s a round on 2 cores.
 */
import { openModel } from '../../src/cli/model.ts';
import { DEFAULT_SPECULATION } from '../../src/engine/index.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { measuredRequest } from '../../src/measure/requests.ts';
import { timeGeneration } from '../../src/measure/speed.ts';
import { encodeWorkload, WORKLOADS } from '../../src/measure/workloads.ts';
import { STORIES_DIR } from '../golden/models.ts';

const [dir = STORIES_DIR, draftName, rounds = '2'] = process.argv.slice(2);
const lengths = [0, undefined, 2, 4, 6, 8, 12];
const names = lengths.map((length) =>
  length === 0 ? 'plain' : length === undefined ? 'chosen' : `${length}`,
);

await using model = await openModel(dir, { provider: undefined, threads: undefined }, draftName);
const rows = new Map<string, number[]>();
for (let round = 0; round < Number(rounds); round++) {
  for (const workload of WORKLOADS) {
    for (const temperature of [0, 0.7]) {
      for (const [seed, promptIds] of encodeWorkload(workload, model.text).entries()) {
        const arms = [...lengths.entries()];
        for (const [arm, draftLength] of round % 2 === 0 ? arms : arms.reverse()) {
          const { ms } = await timeGeneration(
            model.engine,
            measuredRequest({
              promptIds,
              tokens: 96,
              temperature,
              seed,
              speculation: { ...DEFAULT_SPECULATION, draftLength },
            }),
          );
          for (const key of [`${workload.name} ${temperature}`, 'all']) {
            const row = rows.get(key) ?? lengths.map(() => 0);
            row[arm]! += ms;
            rows.set(key, row);
          }
        }
      }
    }
  }
}

console.log(`${(model.draft ?? 'no draft').padEnd(22)}${names.map((name) => name.padStart(8)).join('')}`);
const ratios = [...rows].map(([name, ms]) => ({ name, ratios: ms.map((value) => ms[0]! / value) }));
for (const { name, ratios: row } of ratios) {
  console.log(`${name.padEnd(22)}${row.map((ratio) => ratio.toFixed(2).padStart(8)).join('')}`);
}
console.log(JSON.stringify({ machine: describeMachine(), draft: model.draft, arms: names, rows: ratios }));
