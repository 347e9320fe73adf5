import type { Probe, ScoredTensor } from '../graph/scoring.ts';
import type { Rounding } from '../quant/index.ts';

/** Ways to score units, by the name that the command line takes. */
export type MethodName = 'fit' | 'fit-gate' | 'fit-trace' | 'fit-diag' | 'cosine' | 'last' | 'random';

/** A unit (`3.attn`, `7.mlp`) and its score; a low score means that removing it matters little. */
export interface UnitScore {
  readonly name: string;
  readonly score: number;
}

/** What a method says about a model. Scores of two methods are not comparable, only their order. */
export interface ScoreResult {
  readonly method: MethodName;
  /** [2L]: `0.attn`, `0.mlp`, `1.attn`, ... */
  readonly units: readonly UnitScore[];
  /** [L]: whole layers. */
  readonly layers: readonly number[];
  /** [2L][2L], rows and columns in the order of `units`; only of `fit`. */
  readonly matrix?: readonly (readonly number[])[];
  /** The same measure of all that can be done to make a draft cheaper; only of `fit`. */
  readonly options?: OptionScores;
}

/** A way to make a part of the model cheaper: a unit (`3.attn`) or the LM head (`head`), which cannot be dropped. */
export interface PartOption {
  readonly part: string;
  readonly kind: 'drop' | Rounding;
}

/** What options lose, alone and together. */
export interface OptionScores {
  /** [N]: dropping each unit; then, by rounding, each unit and the LM head. */
  readonly options: readonly PartOption[];
  /** [N][N], in nats per sequence: taking the options S costs about 1/2 * sum_{a,b in S} F_ab of KL divergence. */
  readonly matrix: readonly (readonly number[])[];
}

/** One sequence, measured. */
export interface Measurement {
  /** Negative log likelihood in nats, summed over the S - 1 predicted tokens. */
  readonly nll: number;
  /** S, in tokens. */
  readonly length: number;
  /** Row-major, as {@linkcode Probe} says. */
  readonly values: Float32Array;
}

/** A weight of a block and its values. */
export interface BlockTensor extends ScoredTensor {
  /** Sum of squares of its values. */
  readonly thetaSq: number;
}

/** What methods know about the model beside measurements. */
export interface ScoringFacts {
  readonly numLayers: number;
  /** In the order of a `weights` measurement; empty for other probes. */
  readonly tensors: readonly BlockTensor[];
  /** Of `random`. */
  readonly seed: number;
  /** That were measured, in order; of `gates` measurements. */
  readonly roundings: readonly Rounding[];
}

/** A way to score: reduces each sequence to a summary, and the mean summary to scores. */
export interface ScoringMethod {
  readonly name: MethodName;
  /** What has to be measured; null: nothing. */
  readonly probe: Probe | null;
  /** Numbers of one sequence whose weighted mean the scores are made of; squares are taken here, before any mean. */
  summarize(measurement: Measurement, facts: ScoringFacts): Float64Array;
  /** What the sequence counts in that mean. */
  weigh(measurement: Measurement): number;
  scores(mean: Float64Array, facts: ScoringFacts): ScoreResult;
}
