import { HEAD_PART, listUnitNames } from '../../lib/units.ts';
import type {
  Measurement,
  MethodName,
  PartOption,
  ScoreResult,
  ScoringFacts,
  ScoringMethod,
} from '../types.ts';
import { nameUnits } from './result.ts';

/**
 * Fisher information of gates a_u = 1 on the residual contribution of every unit. With g_u(t) = d loss / d a_u at
 * position t, F_uv = mean over sequences of sum_t g_u(t) g_v(t); removing the set S costs about
 * 1/2 * sum_{u,v in S} F_uv of KL divergence. The diagonal is FIT for activations (arXiv 2210.08502).
 *
 * `layers` are the diagonal for gates on whole layers. Such a gate is not the sum of its halves', since the
 * attention's contribution also acts through the MLP of its own layer.
 *
 * Rounding a unit is another step on its contribution r: to r' instead of to 0. With <d loss / d r, r - r'> as its g, both
 * kinds of step are entries of one matrix.
 */
function gateFisher(name: MethodName, withInteractions: boolean): ScoringMethod {
  return {
    name,
    probe: 'gates',
    summarize: sumProducts,
    weigh: () => 1,
    scores: (mean, facts) => scoresOf(name, mean, facts, withInteractions),
  };
}

/** The default: the whole matrix. Golden: `fit_matrix`. */
export const fit: ScoringMethod = gateFisher('fit', true);

/** Its diagonal alone. Golden: `fit_act_tok`. */
export const fitGate: ScoringMethod = gateFisher('fit-gate', false);

/** [N*N + L]: sums over positions of g_a g_b of all options, then of the squares of the layers' g. */
function sumProducts({ values, length }: Measurement, facts: ScoringFacts): Float64Array {
  const { numLayers } = facts;
  const rows = optionRows(facts);
  const sums = new Float64Array(rows.length ** 2 + numLayers);
  for (let a = 0; a < rows.length; a++) {
    for (let b = 0; b <= a; b++) {
      const product = innerProduct(values, rows[a]!, rows[b]!, length);
      sums[a * rows.length + b] = product;
      sums[b * rows.length + a] = product;
    }
  }
  for (let layer = 0; layer < numLayers; layer++) {
    const row = 2 * numLayers + layer;
    sums[rows.length ** 2 + layer] = innerProduct(values, row, row, length);
  }
  return sums;
}

/** Rows of a measurement that belong to options, in their order: those of whole layers lie between. */
function optionRows({ numLayers, roundings }: ScoringFacts): number[] {
  const numRounded = roundings.length * (2 * numLayers + 1);
  return [
    ...Array.from({ length: 2 * numLayers }, (_, unit) => unit),
    ...Array.from({ length: numRounded }, (_, i) => 3 * numLayers + i),
  ];
}

function listOptions({ numLayers, roundings }: ScoringFacts): PartOption[] {
  const units = listUnitNames(numLayers);
  return [
    ...units.map((part): PartOption => ({ part, kind: 'drop' })),
    ...roundings.flatMap((kind) => [...units, HEAD_PART].map((part): PartOption => ({ part, kind }))),
  ];
}

function innerProduct(values: Float32Array, rowA: number, rowB: number, length: number): number {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += values[rowA * length + t]! * values[rowB * length + t]!;
  return sum;
}

function scoresOf(
  method: MethodName,
  mean: Float64Array,
  facts: ScoringFacts,
  withMatrix: boolean,
): ScoreResult {
  const [numUnits, options] = [2 * facts.numLayers, listOptions(facts)];
  const matrix = options.map((_, a) => [...mean.subarray(a * options.length, (a + 1) * options.length)]);
  const units = nameUnits(matrix.slice(0, numUnits).map((row, u) => row[u]!));
  const layers = [...mean.subarray(options.length ** 2)];
  if (!withMatrix) return { method, units, layers };
  const ofUnits = matrix.slice(0, numUnits).map((row) => row.slice(0, numUnits));
  return { method, units, layers, matrix: ofUnits, options: { options, matrix } };
}
