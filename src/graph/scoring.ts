import type { ModelFolder } from '../hf/types.ts';
import { blockOfTensor } from '../lib/units.ts';
import { encodeModel, GraphBuilder, type Value } from '../onnx/index.ts';
import type { Rounding } from '../quant/index.ts';
import { differentiate } from './backward.ts';
import { buildSequenceForward, type SequenceForward } from './loss.ts';

/**
 * What a run over one sequence measures. S is the sequence's length, T the number of block tensors.
 * - `gates` [3L + R (2L + 1), S]: d loss / d gate of each unit, then of each whole layer, per position; then, for each of
 *   R roundings, how the loss changes to first order, sign reversed, where each unit, then the LM head, is rounded
 * - `stream` [3L, S]: cosine of the residual stream before and after each unit, then each layer, per position
 * - `weights` [2, T]: per tensor the sum of g^2, then of (g theta)^2
 */
export type Probe = 'gates' | 'stream' | 'weights';

/** Names of the scoring graph's outputs. Its inputs are `SEQUENCE_INPUTS`. */
export const SCORING_OUTPUTS = {
  /** float32 scalar */
  nll: 'nll',
  /** float32, as {@linkcode Probe} says */
  values: 'values',
  /** float32 [T]: sums of the squared weights; of `weights` graphs only */
  thetaSq: 'theta_sq',
} as const;

/** A weight of a block; a block's norm counts as its own. */
export interface ScoredTensor {
  readonly name: string;
  /** Index into the units: 2 * layer, + 1 for the MLP. */
  readonly unit: number;
  /** Elements. */
  readonly size: number;
}

export interface ScoringGraph {
  readonly bytes: Uint8Array;
  /** In the order of a `weights` measurement; empty for other probes. */
  readonly tensors: readonly ScoredTensor[];
}

/**
 * Forward and backward pass of one sequence. Whatever is measured is reduced inside the graph, so that a run returns a
 * few numbers per position or per tensor and its memory is one sequence's activations beside the weights. `roundings`: of
 * `gates` graphs; they need the files of rounded weights.
 */
export function buildScoringGraph(
  folder: ModelFolder,
  probe: Probe,
  roundings: readonly Rounding[] = [],
): ScoringGraph {
  const g = new GraphBuilder();
  const forward = buildSequenceForward(g, { folder });
  g.output(SCORING_OUTPUTS.nll, forward.nll);
  const tensors = probe === 'weights' ? blockTensors(folder) : [];
  const values = g.scope('probe', () => {
    if (probe === 'gates') return gateGradients(g, forward, roundings);
    if (probe === 'stream') return streamCosines(g, forward);
    return weightGradients(g, forward, tensors);
  });
  g.output(SCORING_OUTPUTS.values, values);
  if (probe === 'weights')
    g.output(
      SCORING_OUTPUTS.thetaSq,
      g.scope('probe', () => weightSquares(g, tensors)),
    );
  return { bytes: encodeModel(g.build()), tensors };
}

/**
 * [3L + R (2L + 1), S]. The derivative by a gate a = 1 on a contribution r at a position is <d loss / d r, r>: removing
 * the unit loses r. A layer's contribution is that of both blocks together, and its gradient the one behind them: the
 * MLP's. Rounding a unit loses r - r', with r' from rounded weights.
 */
function gateGradients(g: GraphBuilder, forward: SequenceForward, roundings: readonly Rounding[]): Value {
  const { nll, units, logits } = forward;
  const contributions = units.map(({ contribution }) => contribution!);
  const gradients = differentiate(g.op, nll, [...contributions, ...(roundings.length > 0 ? [logits] : [])]);
  const ofUnits = contributions.map((contribution, u) => innerProducts(g, gradients[u]!, contribution));
  const ofLayers = everyLayer(units, (attn) => {
    const both = g.op.Add(contributions[attn]!, contributions[attn + 1]!);
    return innerProducts(g, gradients[attn + 1]!, both);
  });
  const ofRoundings = roundings.flatMap((rounding) =>
    g.scope(rounding, () => {
      const rounded = forward.rounded(rounding);
      const outputs = [...units.map((unit) => rounded.contribution(unit)), rounded.logits()];
      return [...contributions, logits].map((exact, i) =>
        innerProducts(g, gradients[i]!, g.op.Sub(exact, outputs[i]!)),
      );
    }),
  );
  return g.op.Concat([...ofUnits, ...ofLayers, ...ofRoundings.map((row) => asRow(g, row))], { axis: 0 });
}

/** [S], of logits, and [1, S], of a stream, to [1, S]. */
function asRow(g: GraphBuilder, values: Value): Value {
  return values.shape.length === 1 ? g.op.Unsqueeze(values, [0]) : values;
}

/** [3L, S] */
function streamCosines(g: GraphBuilder, { units }: SequenceForward): Value {
  const ofUnits = units.map(({ before, after }) => cosine(g, before, after));
  const ofLayers = everyLayer(units, (attn) => cosine(g, units[attn]!.before, units[attn + 1]!.after));
  return g.op.Concat([...ofUnits, ...ofLayers], { axis: 0 });
}

/** [2, T] */
function weightGradients(g: GraphBuilder, { nll }: SequenceForward, tensors: readonly ScoredTensor[]): Value {
  const weights = storedWeights(g, tensors);
  const gradients = differentiate(g.op, nll, weights);
  const gradSq = gradients.map((gradient) => sumOfSquares(g, gradient));
  const gradSqThetaSq = gradients.map((gradient, i) =>
    sumOfSquares(g, g.op.Mul(gradient, widen(g, weights[i]!))),
  );
  return g.op.Unsqueeze(g.op.Concat([...gradSq, ...gradSqThetaSq], { axis: 0 }), [0]);
}

/** [T] */
function weightSquares(g: GraphBuilder, tensors: readonly ScoredTensor[]): Value {
  return g.op.Concat(
    storedWeights(g, tensors).map((weight) => sumOfSquares(g, widen(g, weight))),
    { axis: 0 },
  );
}

/** Every tensor of every layer, in the folder's order. */
function blockTensors({ tensors }: ModelFolder): ScoredTensor[] {
  return [...tensors.values()].flatMap(({ name, shape }) => {
    const [, layer, tensor] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (layer === undefined || tensor === undefined) return [];
    const size = shape.reduce((product, dim) => product * dim, 1);
    return [{ name, unit: 2 * Number(layer) + (blockOfTensor(tensor) === 'attn' ? 0 : 1), size }];
  });
}

function storedWeights(g: GraphBuilder, tensors: readonly ScoredTensor[]): Value[] {
  const byName = new Map(g.build().initializers.map(({ value }) => [value.name, value]));
  return tensors.map(({ name }) => {
    const weight = byName.get(name);
    if (weight === undefined) throw new TypeError(`Scoring ${name}: the graph does not use this tensor.`);
    return weight;
  });
}

function widen(g: GraphBuilder, weight: Value): Value {
  return weight.dtype === 'float32' ? weight : g.op.Cast(weight, { to: 'float32' });
}

/** Applies `build` to the index of each layer's attention unit; the MLP's is the next. */
function everyLayer(units: readonly unknown[], build: (attn: number) => Value): Value[] {
  return Array.from({ length: units.length / 2 }, (_, layer) => build(2 * layer));
}

/** <a, b> along the last axis: [1, S, E] to [1, S]. */
function innerProducts(g: GraphBuilder, a: Value, b: Value): Value {
  return g.op.ReduceSum(g.op.Mul(a, b), [-1], { keepdims: 0 });
}

/** [1, S] */
function cosine(g: GraphBuilder, a: Value, b: Value): Value {
  const norms = g.op.Mul(innerProducts(g, a, a), innerProducts(g, b, b));
  return g.op.Div(innerProducts(g, a, b), g.op.Sqrt(norms));
}

/** [1]. Summed axis by axis, which keeps float32 sums of millions of terms accurate. */
function sumOfSquares(g: GraphBuilder, x: Value): Value {
  let sum = g.op.Mul(x, x);
  while (sum.shape.length > 1) sum = g.op.ReduceSum(sum, [-1], { keepdims: 0 });
  return g.op.ReduceSum(sum, [0], { keepdims: 1 });
}
