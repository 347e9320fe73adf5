/**
 * What a server stands: `bun test/bench/soak.ts [REQUESTS] [DIR]` (2,000 of them; two or three minutes on 2 cores). 64
 * streams at once against the same alone, 50 disconnects, the longest stall of the event loop, time to first token, and
 * a soak of mixed requests with memory after every tenth of them. Ends with a line of JSON; exit status 1 if anything failed.
 */
import { median } from '../../src/lib/median.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import {
  disconnectAtRandom,
  EVENT_LOOP_PROBE,
  longestStall,
  randomLetters,
  readMetric,
  sendMixed,
  streamText,
  timeToFirstToken,
  untilIdle,
} from '../server/load.ts';
import type { ServerProcess } from '../server/server-process.ts';
import { startStoryServer } from '../server/story-server.ts';

const MIB = 1024 * 1024;
const prompt = 'Once upon a time';
const [requests = '2000', dir] = process.argv.slice(2);
const seeds = Array.from({ length: 64 }, (_, seed) => seed);

const server = await startStoryServer({ preload: [EVENT_LOOP_PROBE], artifact: dir });
try {
  const results = {
    ...(await measureStreams(server)),
    ...(await measureStalls(server)),
    ...(await soak(server)),
  };
  // The first parts warm caches up; after that memory may wander, but not climb.
  const isFlat = results.memoryMiB.at(-1)! < 1.25 * results.memoryMiB[2]!;
  const isFine = results.unequal === 0 && results.failed === 0 && isFlat;
  console.log(JSON.stringify({ machine: describeMachine(), ...results }));
  process.exitCode = isFine ? 0 : 1;
} finally {
  await server.stop();
}

async function measureStreams({ url }: ServerProcess) {
  const ask = (seed: number): Promise<string> => streamText(url, { prompt, max_tokens: 40, seed });
  const times: number[] = [];
  for (let i = 0; i < 21; i++) times.push(await timeToFirstToken(url, { prompt, max_tokens: 4 }));
  const firstTokenMs = Number(median(times).toFixed(1));
  console.log(`time to first token, idle: median ${firstTokenMs} ms of ${times.length}`);
  const startedMs = performance.now();
  const together = await Promise.all(seeds.map(ask));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  let unequal = 0;
  for (const seed of seeds) if ((await ask(seed)) !== together[seed]) unequal++;
  console.log(`64 streams at once: ${seconds} s, ${unequal} texts differ from those alone`);
  await disconnectAtRandom(url, 50, 800);
  const idleMs = Math.round(await untilIdle(url, 5000));
  console.log(`50 disconnects: idle after ${idleMs} ms`);
  return { firstTokenMs, unequal, idleMs };
}

async function measureStalls(server: ServerProcess) {
  const { url } = server;
  const stream = (seed: number) => streamText(url, { prompt, max_tokens: 200, seed, ignore_eos: true });
  const long = 'The little dog ran to the big tree. '.repeat(2800);
  const random = new RandomStream(1);
  const letters = randomLetters(random, 100_000);
  const ask = (body: object) =>
    fetch(`${url}/v1/completions`, { method: 'POST', body: JSON.stringify(body) });
  const loads: Readonly<Record<string, () => Promise<unknown>>> = {
    '1 stream': () => stream(1),
    '16 streams': () => Promise.all(seeds.slice(0, 16).map(stream)),
    'prompts of 100,000 characters': () =>
      Promise.all(seeds.slice(0, 4).map((seed) => ask({ prompt: long, seed }))),
    '100,000 random letters': () => ask({ prompt: letters }),
    '2 MB of a prompt': () => ask({ prompt: long.repeat(20) }),
    '1,000,000 token ids': () => ask({ prompt: Array.from({ length: 1e6 }, () => 7) }),
    'tokenize 100,000 characters': () =>
      fetch(`${url}/tokenize`, { method: 'POST', body: JSON.stringify({ prompt: long }) }),
    'mixed requests': () => sendMixed(url, { count: 40, atOnce: 8, seed: 5 }),
  };
  const stallMs: Record<string, number[]> = {};
  for (const [name, load] of Object.entries(loads)) {
    const tries: number[] = [];
    for (let i = 0; i < 3; i++) tries.push(await longestStall(server, load));
    stallMs[name] = tries;
    console.log(`longest stall, ${name}: ${tries.join(', ')} ms`);
  }
  return { stallMs };
}

async function soak({ url }: ServerProcess) {
  const count = Math.ceil(Number(requests) / 10);
  const memoryMiB: number[] = [];
  const sum = { answered: 0, refused: 0, cancelled: 0, failed: 0 };
  const startedMs = performance.now();
  for (let part = 0; part < 10; part++) {
    const { outcomes, failures } = await sendMixed(url, { count, atOnce: 24, seed: part });
    for (const outcome of Object.keys(sum) as (keyof typeof sum)[]) sum[outcome] += outcomes[outcome];
    for (const failure of failures) console.log(failure);
    await untilIdle(url, 5000);
    memoryMiB.push(Math.round((await readMetric(url, 'process_resident_memory_bytes')) / MIB));
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `soak of ${10 * count} requests: ${seconds} s, ${JSON.stringify(sum)}, memory ${memoryMiB.join(', ')} MiB`,
  );
  return { ...sum, memoryMiB };
}
