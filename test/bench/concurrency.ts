/**
 * Tokens per second of an engine that serves 1, 2, 4, 8 and 16 requests at once, and whether each text is the one that its
 * request gets alone: `bun test/bench/concurrency.ts [DIR] [DRAFT] [ROUNDS]`. Prompts of all workloads, half of them sampled
 * at T = 0.7; the numbers of requests take turns, the order reversed each round. Ends with a line of JSON.
 */
import { openModel } from '../../src/cli/model.ts';
import type { Engine, GenerateRequest } from '../../src/engine/index.ts';
import { median } from '../../src/lib/median.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { measuredRequest } from '../../src/measure/requests.ts';
import { timeGeneration } from '../../src/measure/speed.ts';
import { encodeWorkload, WORKLOADS } from '../../src/measure/workloads.ts';
import { STORIES_DIR } from '../golden/models.ts';

const [dir = STORIES_DIR, draftName, rounds = '3'] = process.argv.slice(2);
const counts = [1, 2, 4, 8, 16];
const tokens = 96;

await using model = await openModel(dir, { provider: undefined, threads: undefined }, draftName);
const prompts = WORKLOADS.flatMap((workload) => encodeWorkload(workload, model.text));
const requests = Array.from({ length: 16 }, (_, i) =>
  measuredRequest({
    promptIds: prompts[i % prompts.length]!,
    tokens,
    temperature: i % 2 === 0 ? 0 : 0.7,
    seed: i,
  }),
);

const alone: string[] = [];
for (const request of requests) alone.push(await textOf(model.engine, request));

const speeds = new Map(counts.map((count) => [count, [] as number[]]));
let different = 0;
for (let round = 0; round < Number(rounds); round++) {
  for (const count of round % 2 === 0 ? counts : counts.toReversed()) {
    const started = performance.now();
    // All 16 requests, `count` at a time, so that every row does the same work.
    for (let first = 0; first < requests.length; first += count) {
      const texts = await Promise.all(
        requests.slice(first, first + count).map((one) => textOf(model.engine, one)),
      );
      different += texts.filter((text, i) => text !== alone[first + i]).length;
    }
    speeds.get(count)!.push((1000 * requests.length * tokens) / (performance.now() - started));
  }
}

const rows = counts.map((count) => {
  const tokensPerSecond = median(speeds.get(count)!);
  return { count, tokensPerSecond, ratio: tokensPerSecond / median(speeds.get(1)!) };
});
for (const { count, tokensPerSecond, ratio } of rows) {
  console.log(
    `${`${count}`.padStart(3)} at once ${tokensPerSecond.toFixed(0).padStart(6)} tokens/s  ${ratio.toFixed(2)}x`,
  );
}
console.log(`texts that differ from the one alone: ${different}`);
console.log(JSON.stringify({ machine: describeMachine(), draft: model.draft, rows, different }));

async function textOf(engine: Engine, request: GenerateRequest): Promise<string> {
  return (await timeGeneration(engine, request)).ids.join(' ');
}
