import type { Value } from '../onnx/index.ts';
import type { ForwardContext } from './context.ts';
import { rmsNorm } from './rms-norm.ts';

/** Logits [R, V] of the rows `outputRows` (int32 [R], into B*S) of the residual stream; of all rows without it. */
export function logitsOf(context: ForwardContext, stream: Value, outputRows: Value | undefined): Value {
  const { g, config, weights } = context;
  const rows = g.reshape(stream, [-1, config.hiddenSize]);
  const wanted = outputRows === undefined ? rows : g.op.Gather(rows, outputRows, { axis: 0 });
  const normed = rmsNorm(context, wanted, 'model.norm.weight');
  const head = config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return weights.multiply(normed, [head]);
}
