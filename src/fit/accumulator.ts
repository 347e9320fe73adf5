import { median } from '../lib/median.ts';
import type { Measurement, ScoreResult, ScoringFacts, ScoringMethod } from './types.ts';

/** Adds up measured sequences in float64 and knows how uncertain the scores still are. */
export interface ScoreAccumulator {
  readonly sequences: number;
  /** All positions of all sequences. */
  readonly tokens: number;
  add(measurement: Measurement): void;
  result(): ScoreResult;
  /**
   * Standard error of a unit's score over the score, for the median unit; infinite below two sequences.
   * The median, because a few units have heavy tails for ever and would decide alone.
   */
  relativeStandardError(): number;
}

/** Starts with no sequence; `result` needs at least one unless the method measures nothing. */
export function createAccumulator(method: ScoringMethod, facts: ScoringFacts): ScoreAccumulator {
  let sum = new Float64Array(0);
  let totalWeight = 0;
  let sequences = 0;
  let tokens = 0;
  const spread = Array.from({ length: 2 * facts.numLayers }, createSpread);
  return {
    get sequences() {
      return sequences;
    },
    get tokens() {
      return tokens;
    },
    add(measurement) {
      const summary = method.summarize(measurement, facts);
      const weight = method.weigh(measurement);
      if (sequences === 0) sum = new Float64Array(summary.length);
      for (let i = 0; i < summary.length; i++) sum[i]! += weight * summary[i]!;
      totalWeight += weight;
      sequences++;
      tokens += measurement.length;
      method.scores(summary, facts).units.forEach(({ score }, unit) => {
        spread[unit]!.add(score);
      });
    },
    result: () =>
      method.scores(
        sum.map((total) => total / totalWeight),
        facts,
      ),
    relativeStandardError: () => median(spread.map((unit) => unit.relativeStandardError())),
  };
}

/** Running mean and variance of one number (Welford 1962). */
function createSpread() {
  let count = 0;
  let mean = 0;
  let squares = 0;
  return {
    add(value: number): void {
      count++;
      const before = value - mean;
      mean += before / count;
      squares += before * (value - mean);
    },
    relativeStandardError(): number {
      if (count < 2) return Number.POSITIVE_INFINITY;
      if (squares === 0) return 0;
      return Math.sqrt(squares / (count - 1) / count) / Math.abs(mean);
    },
  };
}
