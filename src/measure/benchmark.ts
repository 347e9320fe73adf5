import type { LocalEngine, SpeculationParams } from '../engine/index.ts';
import type { StepCosts } from '../lib/speedup.ts';
import type { TextCodec } from '../text/types.ts';
import { measuredRequest } from './requests.ts';
import { type Comparison, compareSpeculation } from './speed.ts';
import { measureTypicalSteps } from './typical-steps.ts';
import { withSignal } from './with-signal.ts';
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
  /** Least times of steps at a past of 128 tokens (less where the context is short). */
  readonly costs: StepCosts;
}

/** Widest target step that is timed. */
const WIDEST = 9;

/** Speculation on against off over all workloads and temperatures, interleaved, in this process. */
export async function runBenchmark(options: BenchmarkOptions): Promise<Benchmark> {
  const { engine, temperatures } = options;
  const costs = measureTypicalSteps(engine, WIDEST);
  const cases = WORKLOADS.flatMap((workload) =>
    temperatures.map((temperature) => ({ workload, temperature })),
  );
  const rows: BenchmarkRow[] = [];
  engine.resetProfile();
  for (const { workload, temperature } of cases) {
    options.signal.throwIfAborted();
    options.onProgress(`${workload.name} at temperature ${temperature}`, rows.length / cases.length);
    const prompts = encodeWorkload(workload, options.text);
    const requests = prompts.map((promptIds, seed) =>
      measuredRequest({ promptIds, tokens: options.tokens, temperature, seed }),
    );
    const comparison = await compareSpeculation(
      withSignal(engine, options.signal),
      requests,
      options.speculation,
      options.rounds,
    );
    rows.push({ workload: workload.name, temperature, comparison });
  }
  return { rows, shares: timeShares(engine), costs };
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
