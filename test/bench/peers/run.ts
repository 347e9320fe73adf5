/**
 * sdfp beside its peers, the same weights on this machine: `bun test/bench/peers/run.ts [ROUNDS] [FOLDER]`. Decoding speed at
 * batch 1, greedy; whether the texts are the same; how fast memory could give the weights. Every measurement is a fresh
 * process, all take turns, the order reversed each round. The peers are installed below FOLDER (default: a temporary one
 * that is kept for the next time; needs Python 3 and 6 GB, most of them for torch); one that cannot be is left out. Two
 * minutes a round on 2 quiet cores. Ends with a line of JSON.
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMachine } from '../../../src/measure/machine.ts';
import { encodeWorkload, WORKLOADS } from '../../../src/measure/workloads.ts';
import { loadTextCodec } from '../../../src/text/index.ts';
import { STORIES_DIR } from '../../golden/models.ts';
import {
  type Arm,
  ask,
  generate,
  type Installed,
  install,
  OURS,
  PEERS,
  type Peer,
  programPath,
} from './peers.ts';
import type { Precision } from './protocol.ts';
import { drawReport, type Limit, type Measurement, summarise } from './report.ts';

const [rounds = '5', folder = join(tmpdir(), 'sdfp-peers')] = process.argv.slice(2);
const TOKENS = 96;
const threadCounts = [...new Set([1, availableParallelism()])];

const installed = new Map<Peer, Installed>();
const failures: string[] = [];
for (const peer of PEERS) {
  console.log(`installing ${peer.name} (${peer.packages.join(' ')}) in ${folder}`);
  await install(peer, STORIES_DIR, folder).then(
    (paths) => installed.set(peer, paths),
    (error) => fail(peer.name, error),
  );
}
const peers = [OURS, ...installed.keys()];
const arms = peers.flatMap((peer) => peer.arms.map((arm): Arm => ({ peer, ...arm })));
const turns = arms.flatMap((arm) =>
  (arm.isTimed ? threadCounts : threadCounts.slice(-1)).map((threads) => ({ arm, threads })),
);

const text = await loadTextCodec(STORIES_DIR);
const prompts = WORKLOADS.flatMap((workload) => encodeWorkload(workload, text));
const limits = await measureLimits();
const measurements: Measurement[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const wanted = turns.filter(({ arm }) => arm.isTimed || round === 0);
  for (const { arm, threads } of round % 2 === 0 ? wanted : wanted.toReversed()) {
    const job = { modelDir: STORIES_DIR, prompts, tokens: TOKENS, threads, contextTokens: 512 };
    await generate(arm, installed.get(arm.peer), job).then(
      ({ generations, loadMs }) =>
        measurements.push({ arm, threads, round, loadMs, generations, load: loadavg()[0]! }),
      (error) => fail(`${arm.peer.name} ${arm.precision} ${arm.mode}`, error),
    );
  }
  console.log(`round ${round + 1} of ${rounds} done`);
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
  cwd: STORIES_DIR,
  encoding: 'utf8',
}).trim();
const machine = describeMachine();
const setting = { prompts: prompts.length, tokens: TOKENS, rounds: Number(rounds), batch: 1, temperature: 0 };
const summary = summarise(measurements);
console.log(drawReport(summary, limits, prompts.length));
for (const failure of failures) console.log(`not measured: ${failure}`);
console.log(
  `machine: ${machine.cpu}, ${machine.cores} cores, ${machine.os}, ${machine.runtime}; commit ${commit}`,
);
const versions = [...installed.keys()].flatMap((peer) => peer.packages);
console.log(JSON.stringify({ machine, commit, versions, setting, limits, failures, ...summary }));

function fail(what: string, error: unknown): void {
  failures.push(`${what}: ${error instanceof Error ? error.message : error}`);
  console.log(`failed: ${failures.at(-1)}`);
}

/** What plain decoding could reach if it did nothing but read the weights, all of them for each token. */
async function measureLimits(): Promise<Limit[]> {
  const python = [...installed.values()][0]?.python;
  if (python === undefined) return [];
  // The checkpoint is bfloat16; rounded blocks of 32 weights bring a scale of two bytes.
  const weights = statSync(join(STORIES_DIR, 'model.safetensors')).size / 2;
  const perWeight: Record<Precision, number> = { f32: 4, '8 bit': 34 / 32, '4 bit': 18 / 32 };
  const sizes = Object.values(perWeight).map((bytes) => Math.round(weights * bytes));
  // A buffer no cache holds, then one for each precision: small ones stay in a cache.
  const question = { sizes: [2 ** 30, ...sizes], threads: availableParallelism() };
  const { rates } = await ask<{ rates: number[] }>([python, programPath('bandwidth.py')], question);
  const [memory, ...own] = rates;
  return Object.keys(perWeight).map((precision, i) => ({
    precision: precision as Precision,
    bytes: sizes[i]!,
    memoryBytesPerSecond: memory!,
    bytesPerSecond: own[i]!,
  }));
}
