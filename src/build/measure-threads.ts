import { setImmediate } from 'node:timers/promises';
import type { MeasuredThreadCount, MeasuredThreads } from '../artifact/index.ts';
import { MAX_CHOSEN_DRAFT_LENGTH } from '../engine/index.ts';
import { measureSteps } from '../engine/measure-steps.ts';
import { Profiler } from '../engine/profiler.ts';
import { openSessionModel } from '../engine/session-model.ts';
import type { ServingGraph } from '../graph/index.ts';
import { describeProcessor } from '../lib/processor.ts';
import { bestDraftLength, type StepCosts, targetStepMs } from '../lib/speedup.ts';
import { leastCosts } from '../measure/least-costs.ts';
import { typicalPast } from '../measure/typical-steps.ts';

/** What {@linkcode measureThreads} is told. */
export interface MeasureThreadsOptions {
  readonly weightsDir: string;
  /** Probability that a draft token is accepted where those before it were; 0 without a draft. */
  readonly acceptance: number;
  readonly signal: AbortSignal | undefined;
}

/** What a session with a thread count (null: the runtime's own choice) takes to load, and its steps. */
export type MeasureCount = (
  threads: number | null,
) => Promise<{ readonly loadMs: number; readonly costs: StepCosts }>;

/** Each count needs two loads. */
const LONGEST_LOAD_MS = 1500;
/** Nothing is begun that would probably end later than this. */
const BUDGET_MS = 6000;
/** Below this share of the best speed so far a count is out; after two such in a row more threads are not tried. */
const FAR = 0.85;
/** A gain below this over the runtime's own choice, in either pass, is within the noise of the measurement. */
const SMALLEST_GAIN = 1.03;

const WIDEST = MAX_CHOSEN_DRAFT_LENGTH + 1;
/** As in {@linkcode measureTypicalSteps}, but fewer and shorter: there are many counts. */
const STEPS = { widest: WIDEST, widths: [1, 3, 5, 9], runs: 20, budgetMs: 400, statistic: 'least' } as const;

/** Which number of threads makes the session of `graph` fastest on this machine; one session is open at a time. */
export function measureThreads(
  { bytes: graph, spec }: ServingGraph,
  { weightsDir, acceptance, signal }: MeasureThreadsOptions,
): Promise<MeasuredThreads> {
  const pastTokens = typicalPast(spec.maxContextTokens, WIDEST);
  const measure: MeasureCount = async (threads) => {
    await setImmediate(); // Signals arrive between turns of the event loop only.
    signal?.throwIfAborted();
    const started = performance.now();
    const options = { graph, spec, weightsDir, threads: threads ?? undefined };
    const model = await openSessionModel(options, new Profiler());
    const loadMs = performance.now() - started;
    try {
      return { loadMs, costs: measureSteps(model, { ...STEPS, pastTokens }) };
    } finally {
      await model.dispose();
    }
  };
  const hasDraft = spec.inputs.isDraft !== null;
  return compareThreads(measure, { acceptance, hasDraft, ...describeProcessor() });
}

/** How {@linkcode compareThreads} judges. */
export interface CompareThreadsOptions extends Pick<MeasureThreadsOptions, 'acceptance'> {
  readonly hasDraft: boolean;
  /** Most threads that are tried. */
  readonly cores: number;
  /** How many the runtime's own choice is, where that is known: they are not tried once more. */
  readonly defaultThreads: number | undefined;
  /** Milliseconds since any moment; a monotonic clock by default. */
  readonly now?: () => number;
}

/**
 * Measures the runtime's own choice, then 1, 2, 4, ... threads, then those that came near the best once more in reversed
 * order; of both passes the least times count. The fastest is chosen where it beat the runtime's own choice in each pass.
 * Time for a second pass over these two is set aside: where there is none, nothing is chosen.
 */
export async function compareThreads(
  measure: MeasureCount,
  { acceptance, hasDraft, cores, defaultThreads, now = () => performance.now() }: CompareThreadsOptions,
): Promise<MeasuredThreads> {
  if (cores === 1) return skip('the process has one core');
  const started = now();
  let longestMs = 0;
  /** How many more measurements the budget has time for. */
  const numLeft = (): number => Math.floor((BUDGET_MS - (now() - started)) / longestMs);
  const passes = new Map<number | null, StepCosts[]>();
  const measurePass = async (threads: number | null): Promise<number> => {
    const begun = now();
    const { loadMs, costs } = await measure(threads);
    longestMs = Math.max(longestMs, now() - begun);
    passes.set(threads, [...(passes.get(threads) ?? []), costs]);
    return loadMs;
  };
  const loadMs = await measurePass(null);
  if (loadMs > LONGEST_LOAD_MS) {
    return skip(`loading takes ${(loadMs / 1000).toFixed(1)} s, and each count needs it twice`);
  }
  const speedOf = (threads: number | null): number =>
    predict(leastCosts(passes.get(threads)!), acceptance).tokensPerSecond;
  const isFar = (threads: number | null): boolean =>
    speedOf(threads) < FAR * Math.max(...[...passes.keys()].map(speedOf));
  const counts = listCounts(cores).filter((threads) => threads !== defaultThreads);
  let numFar = 0;
  for (const threads of counts) {
    if (numFar === 2 || numLeft() < 3) break;
    await measurePass(threads);
    numFar = isFar(threads) ? numFar + 1 : 0;
  }
  const room = numLeft();
  if (passes.size === 1 || room < 2) {
    const seconds = (longestMs / 1000).toFixed(1);
    return skip(`measuring a count takes ${seconds} s, and each needs it twice within ${BUDGET_MS / 1000} s`);
  }
  const fastest = [...passes.keys()]
    .filter((threads) => threads !== null && !isFar(threads))
    .toSorted((a, b) => speedOf(b) - speedOf(a))
    .slice(0, room - 1);
  const repeated = [...passes.keys()].filter((threads) => threads === null || fastest.includes(threads));
  for (const threads of repeated.toReversed()) await measurePass(threads);
  const best = repeated.toSorted((a, b) => speedOf(b) - speedOf(a))[0]!;
  const pays = passes.get(best)!.every((costs, pass) => {
    const [speed, ownSpeed] = [costs, passes.get(null)![pass]!].map(
      (one) => predict(one, acceptance).tokensPerSecond,
    );
    return speed! >= SMALLEST_GAIN * ownSpeed!;
  });
  const described = [...passes].map(([threads, costs]) =>
    describeCount(threads, leastCosts(costs), { acceptance, hasDraft }),
  );
  return { chosen: pays ? best : null, skipped: null, counts: described };
}

function skip(reason: string): MeasuredThreads {
  return { chosen: null, skipped: reason, counts: [] };
}

/** 1, 2, 4, ... and all cores. */
function listCounts(cores: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log2(cores)) }, (_, i) => 2 ** i);
  return [...powers, cores];
}

function predict(costs: StepCosts, acceptance: number) {
  const { draftLength, speedup } = bestDraftLength(acceptance, costs, MAX_CHOSEN_DRAFT_LENGTH);
  return { draftLength, tokensPerSecond: (1000 * speedup) / costs.targetMs[0]! };
}

function describeCount(
  threads: number | null,
  costs: StepCosts,
  { acceptance, hasDraft }: Pick<CompareThreadsOptions, 'acceptance' | 'hasDraft'>,
): MeasuredThreadCount {
  const { draftLength, tokensPerSecond } = predict(costs, acceptance);
  return {
    threads,
    draftMs: hasDraft ? costs.draftMs : null,
    draftStartMs: hasDraft ? costs.draftStartMs : 0,
    targetMs: costs.targetMs[0]!,
    draftLength,
    verificationMs: targetStepMs(costs, draftLength + 1),
    predictedTokensPerSecond: tokensPerSecond,
  };
}
