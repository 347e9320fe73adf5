import type { Measurement, MethodName, ScoreResult, ScoringMethod } from '../types.ts';
import { nameUnits } from './result.ts';

/**
 * Fisher information of gates a_u = 1 on the residual contribution of every unit. With g_u(t) = d loss / d a_u at
 * position t, F_uv = mean over sequences of sum_t g_u(t) g_v(t); removing the set S costs about
 * 1/2 * sum_{u,v in S} F_uv of KL divergence. The diagonal is FIT for activations (arXiv 2210.08502).
 *
 * `layers` are the diagonal for gates on whole layers. Such a gate is not the sum of its halves', since the
 * attention's contribution also acts through the MLP of its own layer.
 */
function gateFisher(name: MethodName, withInteractions: boolean): ScoringMethod {
  return {
    name,
    probe: 'gates',
    summarize: (measurement, { numLayers }) => sumProducts(measurement, numLayers),
    weigh: () => 1,
    scores: (mean, { numLayers }) => scoresOf(name, mean, numLayers, withInteractions),
  };
}

/** The default: the whole matrix. Golden: `fit_matrix`. */
export const fit: ScoringMethod = gateFisher('fit', true);

/** Its diagonal alone. Golden: `fit_act_tok`. */
export const fitGate: ScoringMethod = gateFisher('fit-gate', false);

/** [U*U + L]: sums over positions of g_u g_v, then of the squares of the layers' g. */
function sumProducts({ values, length }: Measurement, numLayers: number): Float64Array {
  const numUnits = 2 * numLayers;
  const sums = new Float64Array(numUnits * numUnits + numLayers);
  for (let u = 0; u < numUnits; u++) {
    for (let v = 0; v <= u; v++) {
      const product = innerProduct(values, u, v, length);
      sums[u * numUnits + v] = product;
      sums[v * numUnits + u] = product;
    }
  }
  for (let layer = 0; layer < numLayers; layer++) {
    const row = numUnits + layer;
    sums[numUnits * numUnits + layer] = innerProduct(values, row, row, length);
  }
  return sums;
}

function innerProduct(values: Float32Array, rowA: number, rowB: number, length: number): number {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += values[rowA * length + t]! * values[rowB * length + t]!;
  return sum;
}

function scoresOf(
  method: MethodName,
  mean: Float64Array,
  numLayers: number,
  withMatrix: boolean,
): ScoreResult {
  const numUnits = 2 * numLayers;
  const matrix = Array.from({ length: numUnits }, (_, u) => [
    ...mean.subarray(u * numUnits, (u + 1) * numUnits),
  ]);
  const units = nameUnits(matrix.map((row, u) => row[u]!));
  const layers = [...mean.subarray(numUnits * numUnits)];
  return withMatrix ? { method, units, layers, matrix } : { method, units, layers };
}
