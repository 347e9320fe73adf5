import type { BlockTensor, Measurement, ScoringFacts, ScoringMethod } from '../types.ts';
import { nameUnits } from './result.ts';

/**
 * The paper's words (arXiv 2602.05499): trace of a layer's empirical Fisher matrix times the variance of the
 * perturbation, which for a removed layer is the second moment of its weights. Golden: `fit_trace`.
 * The paper scores layers; `units` apply the same words to the tensors of one block, its norm included.
 */
export const fitTrace: ScoringMethod = {
  name: 'fit-trace',
  probe: 'weights',
  summarize: (measurement, facts) => takeRow(measurement, 0, facts),
  weigh: () => 1,
  scores: (mean, facts) => ({
    method: 'fit-trace',
    ...scoreGroups(facts, (indices) => traceTimesMoment(indices, mean, facts.tensors)),
  }),
};

/** The same step of -theta taken per parameter: sum of (g theta)^2. Golden: `fit_diag`. */
export const fitDiag: ScoringMethod = {
  name: 'fit-diag',
  probe: 'weights',
  summarize: (measurement, facts) => takeRow(measurement, 1, facts),
  weigh: () => 1,
  scores: (mean, facts) => ({
    method: 'fit-diag',
    ...scoreGroups(facts, (indices) => sumOf(indices, (i) => mean[i]!)),
  }),
};

function takeRow({ values }: Measurement, row: number, { tensors }: ScoringFacts): Float64Array {
  return Float64Array.from(values.subarray(row * tensors.length, (row + 1) * tensors.length));
}

function traceTimesMoment(
  indices: readonly number[],
  gradSq: Float64Array,
  tensors: readonly BlockTensor[],
): number {
  const trace = sumOf(indices, (i) => gradSq[i]!);
  const thetaSq = sumOf(indices, (i) => tensors[i]!.thetaSq);
  return (trace * thetaSq) / sumOf(indices, (i) => tensors[i]!.size);
}

/** Applies `score` to the tensors of every unit and of every layer. */
function scoreGroups(facts: ScoringFacts, score: (tensorIndices: readonly number[]) => number) {
  const byUnit: number[][] = Array.from({ length: 2 * facts.numLayers }, () => []);
  facts.tensors.forEach((tensor, i) => {
    byUnit[tensor.unit]!.push(i);
  });
  const byLayer = Array.from({ length: facts.numLayers }, (_, l) => [
    ...byUnit[2 * l]!,
    ...byUnit[2 * l + 1]!,
  ]);
  return { units: nameUnits(byUnit.map(score)), layers: byLayer.map(score) };
}

function sumOf(indices: readonly number[], value: (index: number) => number): number {
  return indices.reduce((sum, i) => sum + value(i), 0);
}
