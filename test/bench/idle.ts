/**
 * What the runtime's threads cost while nothing runs, and what waking them costs: `bun test/bench/idle.ts [DIR] [ROUNDS]`. Three
 * settings of a session's spinning in turns, each in a session of its own, the order reversed each round: plain steps, rounds
 * of 4 draft steps and a verification, the first step after a second of nothing, the CPU time of such a second with its one
 * step. Then the same of a server as it is, and its CPU time without any request (Linux). About 80 s on 2 cores; ends with a line of JSON.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineSpecOf, openArtifact } from '../../src/artifact/index.ts';
import { KvCache } from '../../src/engine/kv-cache.ts';
import { KvPool } from '../../src/engine/kv-pool.ts';
import type { StepMode } from '../../src/engine/model.ts';
import { Profiler } from '../../src/engine/profiler.ts';
import { Stepper } from '../../src/engine/stepper.ts';
import { median } from '../../src/lib/median.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { openSession } from '../../src/runtime/index.ts';
import { STORIES_DIR } from '../golden/models.ts';
import { timeToFirstToken } from '../server/load.ts';
import { startStoryServer } from '../server/story-server.ts';

const ARMS = {
  'as it is': {},
  'stops with the run': { 'session.force_spinning_stop': '1' },
  'no spinning': { 'session.intra_op.allow_spinning': '0' },
} as const;
const PAST_TOKENS = 128;
const DRAFT_LENGTH = 4;
/** Linux counts CPU time in hundredths of a second. */
const TICK_MS = 10;

const [dir = STORIES_DIR, rounds = '4'] = process.argv.slice(2);
const artifact = await openArtifact(dir, { verify: 'fast' });
const spec = engineSpecOf(artifact.manifest);
const graph = readFileSync(join(artifact.dir, spec.graph));

type Figures = Readonly<Record<'plainMs' | 'roundMs' | 'afterIdleMs' | 'cpuMsPerSecond', number>>;
const found = new Map<string, Figures[]>(Object.keys(ARMS).map((name) => [name, []]));
for (let round = 0; round < Number(rounds); round++) {
  const arms = Object.entries(ARMS);
  for (const [name, config] of round % 2 === 0 ? arms : arms.reverse()) {
    found.get(name)!.push(await measureSession(config));
  }
}

const rows = [...found].map(([spinning, all]) => {
  const of = (key: keyof Figures) => all.map((figures) => Number(figures[key].toFixed(2)));
  const figures = { plainMs: of('plainMs'), roundMs: of('roundMs'), afterIdleMs: of('afterIdleMs') };
  return { spinning, ...figures, cpuMsPerSecond: of('cpuMsPerSecond') };
});
console.log('spinning            plain ms  round ms  first step after 1 s  CPU ms per such second');
for (const { spinning, plainMs, roundMs, afterIdleMs, cpuMsPerSecond } of rows) {
  const cells = [plainMs, roundMs, afterIdleMs, cpuMsPerSecond].map((all) => median(all).toFixed(2));
  console.log(`${spinning.padEnd(20)}${cells.map((cell, i) => cell.padEnd([10, 10, 22, 0][i]!)).join('')}`);
}
const server = existsSync('/proc/self/stat') ? await measureServer() : null;
if (server !== null) {
  const { firstTokenMs, afterIdleMs, idleCpuMsPerSecond } = server;
  console.log(`server: first token ${firstTokenMs} ms, after 3 s of nothing ${afterIdleMs} ms`);
  console.log(`server without requests: ${idleCpuMsPerSecond} ms of CPU per second`);
}
console.log(JSON.stringify({ machine: describeMachine(), rows, server }));

async function measureSession(config: Readonly<Record<string, string>>): Promise<Figures> {
  const session = await openSession({ graph, weightsDir: artifact.dir, config });
  const stepper = new Stepper(session, spec, new Profiler());
  const { numKvHeads, headDim } = spec;
  const pool = new KvPool({ numSlots: spec.inputs.pastKeys.length, numKvHeads, headDim });
  const cache = new KvCache(pool, PAST_TOKENS + 16);
  const step = (mode: StepMode, width = 1): void =>
    void stepper.run([{ cache, ids: new Array<number>(width).fill(0), outputRows: width }], mode);
  const timeOf = (work: () => void): number => {
    const started = performance.now();
    work();
    const ms = performance.now() - started;
    cache.trim(PAST_TOKENS);
    return ms;
  };
  const plain = () => timeOf(() => step('target'));
  const round = () =>
    timeOf(() => {
      for (let i = 0; i < DRAFT_LENGTH; i++) step('draft');
      cache.trim(PAST_TOKENS);
      step('target', DRAFT_LENGTH + 1);
    });
  try {
    step('target', PAST_TOKENS);
    repeat(30, round);
    const plainMs = median(repeat(100, plain));
    const roundMs = median(repeat(40, round));
    const firsts: number[] = [];
    const cpuBefore = process.cpuUsage();
    for (let i = 0; i < 4; i++) {
      await sleep(1000);
      firsts.push(plain());
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    return { plainMs, roundMs, afterIdleMs: median(firsts), cpuMsPerSecond: (user + system) / 4000 };
  } finally {
    pool.dispose();
    session.dispose();
  }
}

function repeat(count: number, work: () => number): number[] {
  return Array.from({ length: count }, work);
}

async function measureServer() {
  const one = await startStoryServer({ artifact: dir });
  const ask = (): Promise<number> =>
    timeToFirstToken(one.url, { prompt: 'Once upon a time', max_tokens: 4, temperature: 0 });
  try {
    const busy: number[] = [];
    for (let i = 0; i < 41; i++) busy.push(await ask());
    const rested: number[] = [];
    for (let i = 0; i < 5; i++) {
      await sleep(3000);
      rested.push(await ask());
    }
    await sleep(1000);
    const before = cpuMsOf(one.pid);
    await sleep(10_000);
    const idleCpuMsPerSecond = (cpuMsOf(one.pid) - before) / 10;
    const [firstTokenMs, afterIdleMs] = [busy, rested].map((all) => Number(median(all).toFixed(1)));
    return { firstTokenMs, afterIdleMs, idleCpuMsPerSecond };
  } finally {
    await one.stop();
  }
}

/** User and system time of a process so far. */
function cpuMsOf(pid: number): number {
  // After the name, which may hold spaces: fields 14 and 15 of proc(5).
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return TICK_MS * (Number(fields[11]) + Number(fields[12]));
}
