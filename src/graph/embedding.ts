import type { GraphBuilder, Value } from '../onnx/index.ts';
import type { Weights } from './weights.ts';

/** Token ids [B, S] to the residual stream [B, S, E]. Rows are widened after they are picked: the table stays as stored. */
export function embed(g: GraphBuilder, weights: Weights, inputIds: Value): Value {
  const rows = g.op.Gather(weights.stored('model.embed_tokens.weight'), inputIds, { axis: 0 });
  return rows.dtype === 'float32' ? rows : g.op.Cast(rows, { to: 'float32' });
}
