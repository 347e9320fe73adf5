import type { MeasuredCandidate, MeasuredCosts, MeasuredFacts, MeasuredThreads } from '../artifact/index.ts';
import { createEngine, type LocalEngine } from '../engine/index.ts';
import type { ServingGraph } from '../graph/index.ts';
import type { StepCosts } from '../lib/speedup.ts';
import { describeMachine } from '../measure/machine.ts';
import { withSignal } from '../measure/with-signal.ts';
import type { Candidate } from './candidates.ts';
import { chooseServed, type FinalResult, runFinals } from './finals.ts';
import { compareDraft, type DraftMeasurement, measureDraft, measuringRequests } from './measure-draft.ts';
import { measureThreads } from './measure-threads.ts';

/** How the measurement is run. */
export interface MeasureOptions {
  readonly weightsDir: string;
  /** Prompts that no score has seen. */
  readonly heldOut: readonly (readonly number[])[];
  /** Serve the fastest candidate even where plain decoding is faster: somebody asked for this one. */
  readonly mustServe: boolean;
  readonly signal: AbortSignal | undefined;
  /** What is measured now, and the share that is done. */
  readonly onProgress: (detail: string, share: number) => void;
}

/** Candidates that are run against plain decoding: those that the formula says are the fastest. */
const MOST_FINALISTS = 3;
/** Of each of the two passes over the finalists. */
const ROUNDS = 3;
/** A draft whose speed at full acceptance stays below this share of the best prediction so far is measured no further. */
const PRUNING_MARGIN = 0.95;

interface Measured {
  readonly candidate: Candidate;
  readonly draft: DraftMeasurement;
}

/** A draft, or null: none, so that prompt lookup alone guesses. */
type Entry = Measured | null;
type Finals = ReadonlyMap<Entry, FinalResult>;

/**
 * Measures step costs and acceptance of every candidate on this machine, runs the most promising ones, and the target without
 * any, against plain decoding, and says which one to serve and with how many threads.
 */
export async function measureCandidates(
  target: ServingGraph,
  candidates: readonly Candidate[],
  options: MeasureOptions,
): Promise<MeasuredFacts> {
  const requests = measuringRequests(options.heldOut);
  const numFinalists = Math.min(MOST_FINALISTS, candidates.length);
  const steps = progressOver(candidates.length + 2 * (numFinalists + 1) + 2, options);
  const measured: Measured[] = [];
  let best = 0;
  for (const candidate of candidates) {
    steps(`draft ${candidate.name}`);
    const draft = await withEngine(candidate.graph, options, (engine) =>
      measureDraft(engine, requests, { speedupToBeat: PRUNING_MARGIN * best, signal: options.signal }),
    );
    if (draft.acceptanceRate !== null) best = Math.max(best, draft.predictedSpeedup);
    measured.push({ candidate, draft });
  }
  const entries: Entry[] = [...bestPredicted(measured, numFinalists), null];
  const finals = await runFinals(entries, (entry) => {
    steps(`speed ${entry === null ? 'without a draft' : `with ${entry.candidate.name}`}`);
    const acceptancePrior = entry?.draft.acceptanceByPosition[0];
    return withEngine(entry?.candidate.graph ?? target, { ...options, acceptancePrior }, (engine) =>
      compareDraft(withSignal(engine, options.signal), requests, ROUNDS),
    );
  });
  const served = chooseServed(finals, options.mustServe);
  steps('costs of steps');
  const costs = served?.draft.costs ?? (await measureTarget(target, options));
  steps('thread counts');
  const threads = await measureThreads(served?.candidate.graph ?? target, {
    weightsDir: options.weightsDir,
    acceptance: served?.draft.acceptancePerToken ?? 0,
    signal: options.signal,
  });
  return summarise(measured, finals, { served, costs, threads }, options);
}

/** What is served: a draft, or the target without one. */
interface Outcome {
  readonly served: Measured | undefined;
  readonly costs: StepCosts;
  readonly threads: MeasuredThreads;
}

/** Costs of the target's steps where no draft's graph has been measured for them. */
async function measureTarget(target: ServingGraph, options: MeasureOptions): Promise<StepCosts> {
  return withEngine(target, options, async (engine) => (await measureDraft(engine, [])).costs);
}

/** Each call tells the next thing to be measured, and ends the build where it was aborted. */
function progressOver(total: number, { signal, onProgress }: MeasureOptions): (detail: string) => void {
  let done = 0;
  return (detail) => {
    signal?.throwIfAborted();
    onProgress(detail, done++ / total);
  };
}

/** Opens a graph on this machine for as long as `use` runs. */
async function withEngine<T>(
  { bytes: graph, spec }: ServingGraph,
  {
    weightsDir,
    acceptancePrior,
  }: { readonly weightsDir: string; readonly acceptancePrior?: number | undefined },
  use: (engine: LocalEngine) => Promise<T>,
): Promise<T> {
  const engine = await createEngine({ graph, spec, weightsDir, acceptancePrior, prefixCacheBytes: 0 });
  try {
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}

function bestPredicted(measured: readonly Measured[], count: number): Measured[] {
  return measured
    .filter(({ draft }) => draft.acceptanceRate !== null)
    .toSorted((a, b) => b.draft.predictedSpeedup - a.draft.predictedSpeedup)
    .slice(0, count);
}

function summarise(
  measured: readonly Measured[],
  finals: Finals,
  { served, costs, threads }: Outcome,
  { mustServe }: MeasureOptions,
): MeasuredFacts {
  const { ratio, plainTokensPerSecond } = finals.get(served ?? null)!;
  return {
    date: new Date().toISOString(),
    machine: describeMachine(),
    threads,
    servedDraft: served?.candidate.name ?? null,
    chosenBy: served === undefined ? 'none' : mustServe ? 'keep' : 'speed',
    acceptanceRate: served?.draft.acceptanceRate ?? null,
    acceptanceByPosition: served?.draft.acceptanceByPosition ?? [],
    costs: describeCosts(costs, served !== undefined),
    plainTokensPerSecond,
    lookupTokensPerSecond: plainTokensPerSecond * finals.get(null)!.ratio,
    predictedTokensPerSecond: plainTokensPerSecond * (served?.draft.predictedSpeedup ?? 1),
    measuredTokensPerSecond: plainTokensPerSecond * ratio,
    candidates: measured.map((entry) => describeCandidate(entry, finals.get(entry), plainTokensPerSecond)),
  };
}

function describeCandidate(
  { candidate: { name }, draft: { acceptanceRate, costs, predictedSpeedup } }: Measured,
  result: FinalResult | undefined,
  plainTokensPerSecond: number,
): MeasuredCandidate {
  return {
    name,
    acceptanceRate,
    draftMs: costs.draftMs,
    draftStartMs: costs.draftStartMs,
    predictedTokensPerSecond: acceptanceRate === null ? null : plainTokensPerSecond * predictedSpeedup,
    measuredTokensPerSecond: result === undefined ? null : plainTokensPerSecond * result.ratio,
    ratios: result?.ratios ?? [],
  };
}

function describeCosts({ draftMs, draftStartMs, targetMs }: StepCosts, hasDraft: boolean): MeasuredCosts {
  return {
    draftMs: hasDraft ? draftMs : null,
    draftStartMs: hasDraft ? draftStartMs : 0,
    targetMs: targetMs[0]!,
    verification: targetMs.slice(1).map((ms, i) => ({ width: i + 2, ms })),
  };
}
