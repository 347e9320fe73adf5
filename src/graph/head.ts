import type { Value } from '../onnx/index.ts';
import { headTensor } from '../quant/index.ts';
import type { ForwardContext } from './context.ts';
import { rmsNorm } from './rms-norm.ts';
import type { Gate } from './unit.ts';

/** In the runs where it is true the LM head is rounded, and has rows for `numTokens` tokens only where that is given. */
export interface HeadGate extends Required<Gate> {
  readonly numTokens?: number | undefined;
}

/**
 * Logits [R, V] of the rows `outputRows` (int32 [R], into B*S) of the residual stream; of all rows without it. With
 * `gate`, some runs use a rounded head; theirs are [R, V'] where it is a reduced one.
 */
export function logitsOf(
  context: ForwardContext,
  stream: Value,
  outputRows: Value | undefined,
  gate?: HeadGate,
): Value {
  const { g, config, weights } = context;
  const rows = g.reshape(stream, [-1, config.hiddenSize]);
  const wanted = outputRows === undefined ? rows : g.op.Gather(rows, outputRows, { axis: 0 });
  const normed = rmsNorm(context, wanted, 'model.norm.weight');
  const head = headTensor(config);
  if (gate === undefined) return weights.multiply(normed, [head]);
  const rounded = () => [context.rounded(gate.instead, gate.numTokens).multiply(normed, [head])];
  return g.if(gate.skipWhen, rounded, () => [weights.multiply(normed, [head])])[0]!;
}
