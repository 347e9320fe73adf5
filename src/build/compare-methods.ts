import { setImmediate } from 'node:timers/promises';
import { createAccumulator } from '../fit/accumulator.ts';
import { findMethod, methodNames, openScorer, type ScoreResult, type ScoringMethod } from '../fit/index.ts';
import type { ModelFolder } from '../hf/index.ts';
import { unitName } from '../lib/units.ts';
import { selectUnits } from '../plan/select.ts';
import type { Unit } from '../plan/types.ts';
import type { AgreementPoint, MethodStudy } from '../report/types.ts';
import { keptShare } from './candidates.ts';
import { type AgreementMeter, openAgreementMeter } from './draft-agreement.ts';

type Ids = readonly number[];

/** What methods are compared on. */
export interface CompareOptions {
  /** Sequences to score on. */
  readonly scored: readonly Ids[];
  /** Sequences that no score has seen. */
  readonly heldOut: readonly Ids[];
  /** Scores that are there already, of all of `scored`. */
  readonly known?: ScoreResult | undefined;
  /** Of the method `random`. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** What is measured now, and the share that is done. */
  readonly onProgress?: ((detail: string, share: number) => void) | undefined;
}

/** Shares of the units that stay; methods differ most in between. */
const KEPT_SHARES = [3 / 4, 1 / 2, 3 / 8, 1 / 4];
/** Of the time of a comparison; the rest is agreement. */
const SCORING_SHARE = 0.5;

/** Lets every method choose drafts by dropping units, and measures how often they agree with the target. */
export async function compareMethods(folder: ModelFolder, options: CompareOptions): Promise<MethodStudy> {
  const { scored, heldOut, signal, onProgress } = options;
  const results = await scoreAll(folder, options);
  const meter = measureOnce(await openAgreementMeter(folder, heldOut, { signal }));
  const methods: { method: string; points: AgreementPoint[] }[] = [];
  for (const [i, scores] of results.entries()) {
    onProgress?.(`agreement of ${scores.method}`, SCORING_SHARE + ((1 - SCORING_SHARE) * i) / results.length);
    methods.push({ method: scores.method, points: await measurePoints(folder, scores, meter) });
  }
  const positions = heldOut.reduce((sum, ids) => sum + ids.length, 0);
  return { scoredSequences: scored.length, heldOutSequences: heldOut.length, positions, methods };
}

async function measurePoints(
  folder: ModelFolder,
  scores: ScoreResult,
  measure: (dropped: readonly Unit[]) => Promise<number>,
): Promise<AgreementPoint[]> {
  const numUnits = scores.units.length;
  const counts = new Set(KEPT_SHARES.map((share) => Math.round((1 - share) * numUnits)));
  const points: AgreementPoint[] = [];
  for (const count of counts) {
    const dropped = selectUnits(scores, count);
    const agreement = await measure(dropped);
    points.push({ dropped: dropped.length, keptShare: keptShare(folder.config, dropped), agreement });
  }
  return points;
}

/** Methods often choose the same draft. */
function measureOnce(meter: AgreementMeter): (dropped: readonly Unit[]) => Promise<number> {
  const known = new Map<string, Promise<number>>();
  return (dropped) => {
    const key = dropped.map(unitName).join();
    const result = known.get(key) ?? meter.measure({ dropped });
    known.set(key, result);
    return result;
  };
}

/** Scores of every method, in the order of their names. Methods with the same probe share their passes. */
async function scoreAll(folder: ModelFolder, options: CompareOptions): Promise<ScoreResult[]> {
  const results = new Map(listKnown(options.known).map((result) => [result.method, result]));
  const missing = methodNames.map(findMethod).filter(({ name }) => !results.has(name));
  const probes = [...new Set(missing.map(({ probe }) => probe))];
  for (const [i, probe] of probes.entries()) {
    const methods = missing.filter((method) => method.probe === probe);
    const scores = await scoreTogether(folder, methods, options, (share) =>
      options.onProgress?.(
        `scores of ${methods.map(({ name }) => name).join(' and ')}`,
        (SCORING_SHARE * (i + share)) / probes.length,
      ),
    );
    for (const result of scores) results.set(result.method, result);
  }
  return methodNames.map((name) => results.get(findMethod(name).name)!);
}

/** The diagonal of a matrix is the score of `fit-gate`. */
function listKnown(known: ScoreResult | undefined): ScoreResult[] {
  if (known === undefined) return [];
  const { matrix, options: _, ...diagonal } = known;
  return matrix === undefined ? [known] : [known, { ...diagonal, method: 'fit-gate' }];
}

async function scoreTogether(
  folder: ModelFolder,
  methods: readonly ScoringMethod[],
  { scored, seed, signal }: CompareOptions,
  onProgress: (share: number) => void,
): Promise<ScoreResult[]> {
  const scorer = await openScorer(folder, methods[0]!, { seed });
  try {
    const accumulators = methods.map((method) => createAccumulator(method, scorer.facts));
    for (const [i, ids] of methods[0]!.probe === null ? [] : scored.entries()) {
      // A run blocks its thread: let signals and the progress display have their turn first.
      await setImmediate();
      signal?.throwIfAborted();
      onProgress(i / scored.length);
      const measurement = scorer.measure(ids);
      for (const accumulator of accumulators) accumulator.add(measurement);
    }
    return accumulators.map((accumulator) => accumulator.result());
  } finally {
    scorer.dispose();
  }
}
