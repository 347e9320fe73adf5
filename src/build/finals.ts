import { median } from '../lib/median.ts';
import type { Comparison } from '../measure/speed.ts';

/** What the passes of one entry found. */
export interface FinalResult {
  /** Plain time over speculative time of every round, in the order of their measurement. */
  readonly ratios: readonly number[];
  /** Median of `ratios`. */
  readonly ratio: number;
  readonly plainTokensPerSecond: number;
}

/**
 * Measures every entry twice, the second time in reversed order: A B C, C B A. What changes on the machine over the
 * minute that this takes (heat, a neighbour) then weighs on all entries alike, and the median over both passes hides a
 * single disturbed round.
 */
export async function runFinals<T>(
  entries: readonly T[],
  run: (entry: T) => Promise<Comparison>,
): Promise<ReadonlyMap<T, FinalResult>> {
  const passes = new Map<T, Comparison[]>(entries.map((entry) => [entry, []]));
  for (const entry of [...entries, ...entries.toReversed()]) passes.get(entry)!.push(await run(entry));
  return new Map([...passes].map(([entry, comparisons]) => [entry, merge(comparisons)]));
}

function merge(comparisons: readonly Comparison[]): FinalResult {
  const ratios = comparisons.flatMap((comparison) => comparison.ratios);
  const plain = comparisons.map((comparison) => comparison.plainTokensPerSecond);
  return { ratios, ratio: median(ratios), plainTokensPerSecond: median(plain) };
}

/** A gain over no draft below this is within the noise of the measurement, and a draft that does not pay costs its probing. */
const SMALLEST_GAIN = 1.01;

/**
 * The fastest finalist, where it pays beyond what prompt lookup does alone (the entry null), or somebody asked for it. A
 * draft is not credited with what needs none.
 */
export function chooseServed<T>(
  finals: ReadonlyMap<T | null, Pick<FinalResult, 'ratio'>>,
  mustServe: boolean,
): T | undefined {
  const drafts = [...finals].flatMap(([draft, { ratio }]) => (draft === null ? [] : [{ draft, ratio }]));
  const best = drafts.toSorted((a, b) => b.ratio - a.ratio)[0];
  const without = Math.max(1, finals.get(null)?.ratio ?? 1);
  return best !== undefined && (mustServe || best.ratio >= SMALLEST_GAIN * without) ? best.draft : undefined;
}
