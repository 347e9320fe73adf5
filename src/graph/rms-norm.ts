import type { Value } from '../onnx/index.ts';
import type { ForwardContext } from './context.ts';

/** RMS norm over the last axis, scaled by the tensor `name`. */
export function rmsNorm({ g, config, weights }: ForwardContext, x: Value, name: string): Value {
  const scale = weights.joined([name]);
  return g.op.SimplifiedLayerNormalization(x, scale, { axis: -1, epsilon: config.rmsNormEps });
}
