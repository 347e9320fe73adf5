import type { MeasuredCandidate, MeasuredCosts, MeasuredFacts } from '../artifact/index.ts';
import { createEngine, type GenerateRequest, type LocalEngine } from '../engine/index.ts';
import type { ServingGraph } from '../graph/index.ts';
import type { StepCosts } from '../lib/speedup.ts';
import { describeMachine } from '../measure/machine.ts';
import type { Comparison } from '../measure/speed.ts';
import type { Candidate } from './candidates.ts';
import { compareDraft, type DraftMeasurement, measureDraft, measuringRequests } from './measure-draft.ts';

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
const MOST_FINALISTS = 2;
const ROUNDS = 3;
/** A gain below this is within the noise of the measurement, and a draft that does not pay costs its probing. */
const SMALLEST_GAIN = 1.01;

/** A draft whose speed at full acceptance stays below this share of the best prediction so far is measured no further. */
const PRUNING_MARGIN = 0.95;

interface Measured {
  readonly candidate: Candidate;
  readonly draft: DraftMeasurement;
}

interface Finalist extends Measured {
  readonly comparison: Comparison;
}

/**
 * Measures step costs and acceptance of every candidate on this machine, runs the most promising ones against plain
 * decoding, and says which one to serve.
 */
export async function measureCandidates(
  target: ServingGraph,
  candidates: readonly Candidate[],
  options: MeasureOptions,
): Promise<MeasuredFacts> {
  const requests = measuringRequests(options.heldOut);
  const numFinalists = Math.min(MOST_FINALISTS, candidates.length);
  const steps = progressOver(candidates.length + numFinalists + 1, options);
  const measured: Measured[] = [];
  let best = 0;
  for (const candidate of candidates) {
    steps(`draft ${candidate.name}`);
    const draft = await withEngine(candidate.graph, options, (engine) =>
      measureDraft(engine, requests, PRUNING_MARGIN * best),
    );
    if (draft.acceptanceRate !== null) best = Math.max(best, draft.predictedSpeedup);
    measured.push({ candidate, draft });
  }
  const finalists: Finalist[] = [];
  for (const entry of bestPredicted(measured, numFinalists)) {
    steps(`speed with ${entry.candidate.name}`);
    const comparison = await withEngine(
      entry.candidate.graph,
      { ...options, acceptancePrior: entry.draft.acceptanceByPosition[0] },
      (engine) => compareDraft(engine, requests, ROUNDS),
    );
    finalists.push({ ...entry, comparison });
  }
  steps('speed without a draft');
  const plain = await withEngine(target, options, (engine) => measurePlain(engine, requests));
  return summarise(measured, finalists, plain, options.mustServe);
}

/** What the target alone does. */
interface PlainMeasurement {
  readonly costs: StepCosts;
  readonly tokensPerSecond: number;
}

async function measurePlain(
  engine: LocalEngine,
  requests: readonly GenerateRequest[],
): Promise<PlainMeasurement> {
  const { costs } = await measureDraft(engine, []);
  const { plainTokensPerSecond } = await compareDraft(engine, requests, 1);
  return { costs, tokensPerSecond: plainTokensPerSecond };
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
  const engine = await createEngine({ graph, spec, weightsDir, acceptancePrior });
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
  finalists: readonly Finalist[],
  plain: PlainMeasurement,
  mustServe: boolean,
): MeasuredFacts {
  const fastest = finalists.toSorted((a, b) => b.comparison.ratio - a.comparison.ratio)[0];
  const served =
    fastest !== undefined && (mustServe || fastest.comparison.ratio >= SMALLEST_GAIN) ? fastest : undefined;
  const plainTokensPerSecond = served?.comparison.plainTokensPerSecond ?? plain.tokensPerSecond;
  return {
    date: new Date().toISOString(),
    machine: describeMachine(),
    servedDraft: served?.candidate.name ?? null,
    chosenBy: served === undefined ? 'none' : mustServe ? 'keep' : 'speed',
    acceptanceRate: served?.draft.acceptanceRate ?? null,
    acceptanceByPosition: served?.draft.acceptanceByPosition ?? [],
    costs: describeCosts(served?.draft.costs ?? plain.costs, served !== undefined),
    plainTokensPerSecond,
    predictedTokensPerSecond: plainTokensPerSecond * (served?.draft.predictedSpeedup ?? 1),
    measuredTokensPerSecond: plainTokensPerSecond * (served?.comparison.ratio ?? 1),
    candidates: measured.map(({ candidate, draft }) => {
      const comparison = finalists.find((finalist) => finalist.candidate === candidate)?.comparison;
      return describeCandidate(candidate, draft, comparison, plainTokensPerSecond);
    }),
  };
}

function describeCandidate(
  { name }: Candidate,
  { acceptanceRate, costs, predictedSpeedup }: DraftMeasurement,
  comparison: Comparison | undefined,
  plainTokensPerSecond: number,
): MeasuredCandidate {
  return {
    name,
    acceptanceRate,
    draftMs: costs.draftMs,
    predictedTokensPerSecond: acceptanceRate === null ? null : plainTokensPerSecond * predictedSpeedup,
    measuredTokensPerSecond: comparison === undefined ? null : plainTokensPerSecond * comparison.ratio,
  };
}

function describeCosts({ draftMs, targetMs }: StepCosts, hasDraft: boolean): MeasuredCosts {
  return {
    draftMs: hasDraft ? draftMs : null,
    targetMs: targetMs[0]!,
    verification: targetMs.slice(1).map((ms, i) => ({ width: i + 2, ms })),
  };
}
