import { multiplyDims, type Value } from '../onnx/index.ts';
import type { ForwardContext, KeyValue } from './context.ts';
import { rmsNorm } from './rms-norm.ts';
import type { Angles } from './rotary.ts';

/** Output of an attention block: its contribution [B, S, E] and the new rows [B, KV, S, D] of its cache slot. */
export interface AttentionResult extends KeyValue {
  readonly contribution: Value;
}

/** Attention block of layer `layer` over the residual stream `x` [B, S, E]; reads `past`, never copies it. */
export function attention(
  context: ForwardContext,
  layer: number,
  x: Value,
  past: KeyValue | undefined,
): AttentionResult {
  const prefix = `model.layers.${layer}`;
  const normed = rmsNorm(context, x, `${prefix}.input_layernorm.weight`);
  const { query, key, value } = projectHeads(context, `${prefix}.self_attn`, normed);
  const mixed = context.isNarrow
    ? attendHeads(context, query, { key, value }, past)
    : attend(context, groupQueries(context, query), { key, value }, past);
  const contribution = projectOutput(context, `${prefix}.self_attn`, mixed, x);
  return { contribution, key, value };
}

interface Heads extends KeyValue {
  /** [B, H, S, D], rotated and scaled by 1 / sqrt(D). */
  readonly query: Value;
}

/** One product for q, k and v together, then one transpose to heads. x is [B, S, E]. */
function projectHeads(context: ForwardContext, prefix: string, x: Value): Heads {
  const { g, config, rotary, weights } = context;
  const { numHeads, numKvHeads, headDim } = config;
  const named = (kind: string) => ['q', 'k', 'v'].map((name) => `${prefix}.${name}_proj.${kind}`);
  const joined = weights.multiply(x, named('weight'));
  const biased = config.qkvBias ? g.op.Add(joined, weights.joined(named('bias'))) : joined;
  const [batch, rows] = x.shape;
  const rowMajor = g.reshape(biased, [batch!, rows!, numHeads + 2 * numKvHeads, headDim]);
  const heads = g.op.Transpose(rowMajor, { perm: [0, 2, 1, 3] });
  const [q, k, value] = g.op.Split(heads, [numHeads, numKvHeads, numKvHeads], { axis: 1 });
  const [query, key] = config.qkNorm ? normHeads(context, prefix, q!, k!) : [q!, k!];
  const rotate = (heads: Value, { cos, sin }: Angles) => g.op.RotaryEmbedding(heads, cos, sin);
  return { query: rotate(query, rotary.queries), key: rotate(key, rotary.keys), value: value! };
}

/** Qwen3: every head of q and of k has its own RMS norm. */
function normHeads(context: ForwardContext, prefix: string, q: Value, k: Value): [Value, Value] {
  return [rmsNorm(context, q, `${prefix}.q_norm.weight`), rmsNorm(context, k, `${prefix}.k_norm.weight`)];
}

/** [B, H, S, D] to [B, KV, G*S, D]: the queries that share a key head become rows of one product. */
function groupQueries({ g, config }: ForwardContext, query: Value): Value {
  const [batch, , rows, size] = query.shape;
  const groups = config.numHeads / config.numKvHeads;
  return g.reshape(query, [batch!, config.numKvHeads, multiplyDims(groups, rows!), size!]);
}

/** Weighted values [B, KV, G*S, D]. Past and new rows are two segments of one softmax. */
function attend(context: ForwardContext, query: Value, fresh: KeyValue, past: KeyValue | undefined): Value {
  const { g, bias, segments } = context;
  const products = (keys: Value) => g.op.FusedMatMul(query, keys, { transA: 0, transB: 1 });
  if (past === undefined || segments === undefined) {
    const probs = g.op.Softmax(g.op.Add(products(fresh.key), bias), { axis: -1 });
    return g.op.MatMul(probs, fresh.value);
  }
  const axis = query.shape.length - 1;
  const scores = g.op.Concat([products(past.key), products(fresh.key)], { axis });
  const probs = g.op.Softmax(g.op.Add(scores, bias), { axis: -1 });
  const [pastProbs, freshProbs] = g.op.Split(probs, segments, { axis });
  return g.op.Add(g.op.MatMul(pastProbs!, past.value), g.op.MatMul(freshProbs!, fresh.value));
}

/**
 * The same, head by head: [B, KV, G, S, D]. For one row, ONNX Runtime multiplies a vector by keys and values where they
 * lie; for the G rows of a group it packs them first, which takes three times as long. From two rows on it is slower.
 */
function attendHeads(
  context: ForwardContext,
  query: Value,
  fresh: KeyValue,
  past: KeyValue | undefined,
): Value {
  const { g, config } = context;
  const [batch, , rows, size] = query.shape;
  const groups = config.numHeads / config.numKvHeads;
  const heads = g.reshape(query, [batch!, config.numKvHeads, groups, rows!, size!]);
  const shared = ({ key, value }: KeyValue): KeyValue => ({
    key: g.op.Unsqueeze(key, [2]),
    value: g.op.Unsqueeze(value, [2]),
  });
  return attend(context, heads, shared(fresh), past && shared(past));
}

/** Weighted values, heads as in `mixed`, to the contribution [B, S, E]; `x` gives the dims. */
function projectOutput(context: ForwardContext, prefix: string, mixed: Value, x: Value): Value {
  const { g, config, weights } = context;
  const [batch, rows] = x.shape;
  const heads = g.reshape(mixed, [batch!, config.numHeads, rows!, config.headDim]);
  const rowMajor = g.op.Transpose(heads, { perm: [0, 2, 1, 3] });
  const flat = g.reshape(rowMajor, [batch!, rows!, config.numHeads * config.headDim]);
  const projected = weights.multiply(flat, [`${prefix}.o_proj.weight`]);
  return config.outputBias ? g.op.Add(projected, weights.joined([`${prefix}.o_proj.bias`])) : projected;
}
