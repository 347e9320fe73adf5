import {
  DEFAULT_SAMPLING,
  type GenerateRequest,
  type LocalEngine,
  type SpeculationParams,
} from '../engine/index.ts';
import type { StepCosts } from '../lib/speedup.ts';
import type { TextCodec } from '../text/types.ts';
import { abortable } from './abortable.ts';
import { type Comparison, compareSpeculation } from './speed.ts';
import { encodeWorkload, WORKLOADS } from './workloads.ts';

/** What a benchmark runs. */
export interface BenchmarkOptions {
  readonly engine: LocalEngine;
  readonly text: TextCodec;
  readonly temperatures: readonly number[];
  /** Tokens generated per prompt, end tokens ignored, so that every row measures the same amount of work. */
  readonly tokens: number;
  /** Each row's prompts are run this often with and without speculation, in reversed order each time. */
  readonly rounds: number;
  readonly speculation: SpeculationParams;
  readonly signal: AbortSignal;
  readonly onProgress: (detail: string, share: number) => void;
}

/** A workload at a temperature. */
export interface BenchmarkRow {
  readonly workload: string;
  readonly temperature: number;
  readonly comparison: Comparison;
}

/** Where the time of the speculative and plain rounds went, as shares of it; they add up to 1. */
export interface TimeShares {
  /** Inside the runtime's sessions. */
  readonly session: number;
  /** Filling inputs and storing K and V rows. */
  readonly feeds: number;
  readonly sampling: number;
  /** Bookkeeping, logprobs, events. */
  readonly other: number;
}

export interface Benchmark {
  readonly rows: readonly BenchmarkRow[];
  readonly shares: TimeShares;
  /** Median steps at a past of 128 tokens (less where the context is short). */
  readonly costs: StepCosts;
}

/** Widest target step that is timed. */
const WIDEST = 9;
/** Steps block their thread, and with it Ctrl-C: of a large model fewer than 15 of each kind are run. */
const STEPS_BUDGET_MS = 3000;

/** Speculation on against off over all workloads and temperatures, interleaved, in this process. */
export async function runBenchmark(options: BenchmarkOptions): Promise<Benchmark> {
  const { engine, temperatures } = options;
  const pastTokens = Math.min(128, engine.info.maxContextTokens - WIDEST);
  const costs = engine.measureSteps({ pastTokens, widest: WIDEST, runs: 15, budgetMs: STEPS_BUDGET_MS });
  const cases = WORKLOADS.flatMap((workload) =>
    temperatures.map((temperature) => ({ workload, temperature })),
  );
  const rows: BenchmarkRow[] = [];
  engine.resetProfile();
  for (const { workload, temperature } of cases) {
    options.signal.throwIfAborted();
    options.onProgress(`${workload.name} at temperature ${temperature}`, rows.length / cases.length);
    const prompts = encodeWorkload(workload, options.text);
    const requests = prompts.map((promptIds, seed) => requestOf(promptIds, temperature, seed, options));
    const comparison = await compareSpeculation(
      abortable(engine, options.signal),
      requests,
      options.speculation,
      options.rounds,
    );
    rows.push({ workload: workload.name, temperature, comparison });
  }
  return { rows, shares: timeShares(engine), costs };
}

function requestOf(
  promptIds: readonly number[],
  temperature: number,
  seed: number,
  { tokens, speculation }: BenchmarkOptions,
): GenerateRequest {
  const sampling = { ...DEFAULT_SAMPLING, temperature, seed };
  return { promptIds, maxTokens: tokens, sampling, speculation, stopTokenIds: [], topLogprobs: undefined };
}

function timeShares(engine: LocalEngine): TimeShares {
  const { turnMs, runMs, feedMs, samplingMs, otherMs } = engine.profile();
  return {
    session: runMs / turnMs,
    feeds: feedMs / turnMs,
    sampling: samplingMs / turnMs,
    other: otherMs / turnMs,
  };
}
