import type { Value } from '../onnx/index.ts';
import type { ForwardContext } from './context.ts';
import { rmsNorm } from './rms-norm.ts';

/** Contribution [B, S, E] of the SwiGLU block of layer `layer` to the residual stream `x` [B, S, E]. */
export function mlp(context: ForwardContext, layer: number, x: Value): Value {
  const { g, config } = context;
  const prefix = `model.layers.${layer}.mlp`;
  const normed = rmsNorm(context, x, `model.layers.${layer}.post_attention_layernorm.weight`);
  const size = config.intermediateSize;
  const joined = linear(context, prefix, ['gate', 'up'], normed);
  const [gate, up] = g.op.Split(joined, [size, size], { axis: 2 });
  const silu = g.op.Mul(gate!, g.op.Sigmoid(gate!));
  return linear(context, prefix, ['down'], g.op.Mul(silu, up!));
}

/** The projections `names` side by side, as one product. */
function linear(
  { g, config, weights }: ForwardContext,
  prefix: string,
  names: readonly string[],
  x: Value,
): Value {
  const y = weights.multiply(
    x,
    names.map((name) => `${prefix}.${name}_proj.weight`),
  );
  if (!config.mlpBias) return y;
  return g.op.Add(y, weights.joined(names.map((name) => `${prefix}.${name}_proj.bias`)));
}
