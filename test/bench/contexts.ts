/**
 * Tokens per second with and without speculation: `bun test/bench/contexts.ts [SET] [ROUNDS] [DIR] [THREADS]`. SET is
 * `contexts` (prompts of 64, 256 and nearly all tokens that the model takes, at T = 0, 0.7 and 1), `workloads` (every kind of
 * prompt at these T) or `concurrency` (1, 4 and 16 requests at once, T = 0.7). Each measurement is a process of its own, after
 * one short generation that does not count; the order is reversed each round. Decoding alone is timed, with several requests
 * at once the whole, prompts included. End tokens are ignored. About 3 s a measurement on 2 cores; ends with a line of JSON.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeThreads } from '../../src/artifact/index.ts';
import { type OpenModel, openModel } from '../../src/cli/model.ts';
import { drawTable } from '../../src/cli/table.ts';
import { DEFAULT_SPECULATION, type GenerateRequest } from '../../src/engine/index.ts';
import { median } from '../../src/lib/median.ts';
import { describeMachine } from '../../src/measure/machine.ts';
import { measuredRequest } from '../../src/measure/requests.ts';
import { type TimedGeneration, timeGeneration, withoutSpeculation } from '../../src/measure/speed.ts';
import { encodeWorkload, WORKLOADS } from '../../src/measure/workloads.ts';
import { STORIES_DIR } from '../golden/models.ts';

/** What one process measures, with speculation or without. */
interface Case {
  /** Tokens of each prompt (`limit`: all but those that are generated), or the name of a workload, or all workloads. */
  readonly prompt: number | 'limit' | 'all' | string;
  readonly temperature: number;
  readonly atOnce: number;
}

interface Measurement {
  readonly tokensPerSecond: number;
  /** Token ids of all texts. */
  readonly text: string;
  readonly promptTokens: number;
  readonly draft: string | null;
  readonly threads: string;
}

const TOKENS = 48;
const TEMPERATURES = [0, 0.7, 1];
const SETS: Readonly<Record<string, readonly Case[]>> = {
  contexts: [64, 256, 'limit'].flatMap((prompt) =>
    TEMPERATURES.map((temperature) => ({ prompt, temperature, atOnce: 1 })),
  ),
  workloads: WORKLOADS.flatMap(({ name }) =>
    TEMPERATURES.map((temperature) => ({ prompt: name, temperature, atOnce: 1 })),
  ),
  concurrency: [1, 4, 16].map((atOnce) => ({ prompt: 'all', temperature: 0.7, atOnce })),
};

const [set = 'contexts', rounds = '3', dir = STORIES_DIR, threads, one] = process.argv.slice(2);
if (one !== undefined) console.log(JSON.stringify(await measure(JSON.parse(one))));
else compare();

function compare(): void {
  const cases = SETS[set];
  if (cases === undefined)
    throw new Error(`found the set ${set}, needs one of ${Object.keys(SETS).join(', ')}`);
  const sides = cases.flatMap((each) => [false, true].map((speculates) => ({ ...each, speculates })));
  const found = sides.map((): Measurement[] => []);
  for (let round = 0; round < Number(rounds); round++) {
    const order = [...sides.keys()];
    for (const i of round % 2 === 0 ? order : order.reverse()) found[i]!.push(runProcess(sides[i]!));
  }
  const rows = cases.map((each, i) => summarise(each, found[2 * i]!, found[2 * i + 1]!));
  const head = ['prompt', 'tokens', 'T', 'at once', 'plain tok/s', 'tok/s', 'ratio', 'same text'];
  const cells = rows.map(
    ({ prompt, promptTokens, temperature, atOnce, plain, speculative, ratio, isSameText }) =>
      [prompt, promptTokens, temperature, atOnce, median(plain).toFixed(0), median(speculative).toFixed(0)]
        .concat(ratio.toFixed(2), isSameText ? 'yes' : 'NO')
        .map(String),
  );
  console.log(drawTable(head, cells));
  const { draft, threads: threadsUsed } = found[0]![0]!;
  const facts = { machine: describeMachine(), commit: readCommit(), draft, threads: threadsUsed };
  console.log(JSON.stringify({ ...facts, set, tokens: TOKENS, rows }));
}

function runProcess(side: Case & { readonly speculates: boolean }): Measurement {
  const args = [fileURLToPath(import.meta.url), set, rounds, dir, threads ?? '', JSON.stringify(side)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function summarise(each: Case, plain: readonly Measurement[], speculative: readonly Measurement[]) {
  const speeds = (all: readonly Measurement[]) => all.map((m) => Number(m.tokensPerSecond.toFixed(1)));
  const ratio = median(speculative.map((m, round) => m.tokensPerSecond / plain[round]!.tokensPerSecond));
  const isSameText = [...plain, ...speculative].every(({ text }) => text === plain[0]!.text);
  const { promptTokens } = plain[0]!;
  return { ...each, promptTokens, plain: speeds(plain), speculative: speeds(speculative), ratio, isSameText };
}

function readCommit(): string {
  return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
}

async function measure(side: Case & { readonly speculates: boolean }): Promise<Measurement> {
  const count = threads === '' ? undefined : Number(threads);
  await using model = await openModel(dir, { provider: undefined, threads: count });
  const prompts = makePrompts(side.prompt, model);
  const requests = prompts.map((promptIds, seed) => {
    const request = measuredRequest({ promptIds, tokens: TOKENS, temperature: side.temperature, seed });
    return side.speculates ? { ...request, speculation: DEFAULT_SPECULATION } : withoutSpeculation(request);
  });
  await timeGeneration(model.engine, { ...requests[0]!, sampling: { ...requests[0]!.sampling, seed: 99 } });
  const done: TimedGeneration[] = [];
  const started = performance.now();
  for (let i = 0; i < requests.length; i += side.atOnce) {
    const together: GenerateRequest[] = requests.slice(i, i + side.atOnce);
    done.push(...(await Promise.all(together.map((request) => timeGeneration(model.engine, request)))));
  }
  const wholeMs = performance.now() - started;
  const decodeMs = done.reduce((sum, { stats }) => sum + stats.decodeMs, 0);
  const [tokens, ms] = set === 'concurrency' ? [TOKENS, wholeMs] : [TOKENS - 1, decodeMs];
  const text = done.map(({ ids }) => ids.join(' ')).join('\n');
  const promptTokens = Math.round(median(prompts.map(({ length }) => length)));
  const tokensPerSecond = (1000 * tokens * requests.length) / ms;
  return { tokensPerSecond, text, promptTokens, draft: model.draft, threads: describeThreads(model.threads) };
}

/** Prompts of so many tokens are stories that the model wrote, one after another. */
function makePrompts(prompt: Case['prompt'], { engine, text }: OpenModel): readonly (readonly number[])[] {
  if (prompt === 'all') {
    const all = WORKLOADS.flatMap((workload) => encodeWorkload(workload, text));
    return Array.from({ length: 16 }, (_, i) => all[i % all.length]!);
  }
  const workload = WORKLOADS.find(({ name }) => name === prompt);
  if (workload !== undefined) return encodeWorkload(workload, text);
  const length = prompt === 'limit' ? engine.info.maxContextTokens - TOKENS : Number(prompt);
  const file = new URL('./data/stories-sampled.json', import.meta.url);
  const stories: number[][] = JSON.parse(readFileSync(file, 'utf8'));
  return [0, 6, 12, 18].map((first) => stories.slice(first).flat().slice(0, length));
}
