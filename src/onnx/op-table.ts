import { equalShapes, formatShape, type Shape } from './dims.ts';
import {
  broadcast,
  concatShape,
  knownDims,
  knownInts,
  like,
  matMulShape,
  normalizeAxis,
  reduceShape,
  reshapeShape,
  sameDtype,
  sliceShape,
  splitShapes,
  unsqueezeShape,
} from './infer.ts';
import type { OpAttributes, OpInputs, OpName } from './op-types.ts';
import type { AttributeKind, TensorType, Value } from './value.ts';

/** What the builder and the writer need to know of an operator. */
export interface OpSpec<K extends OpName> {
  readonly domain?: 'com.microsoft';
  readonly attributes: { readonly [A in keyof OpAttributes<K>]-?: AttributeKind };
  /** Types of the outputs; throws a TypeError that names the shapes where the inputs do not fit. */
  infer(inputs: OpInputs<K>, attributes: OpAttributes<K>): readonly TensorType[];
}

type Binary = 'Add' | 'Sub' | 'Mul' | 'Div';
type Unary = 'Neg' | 'Exp' | 'Log' | 'Sqrt' | 'Reciprocal' | 'Sigmoid' | 'Cos' | 'Sin';

const binary: OpSpec<Binary> = {
  attributes: {},
  infer: ([a, b]) => [{ dtype: sameDtype(a, b), shape: broadcast(a.shape, b.shape) }],
};

const unary: OpSpec<Unary> = { attributes: {}, infer: ([x]) => [like(x)] };

const softmax: OpSpec<'Softmax' | 'LogSoftmax'> = {
  attributes: { axis: 'int' },
  infer: ([x], { axis }) => {
    normalizeAxis(axis, x.shape.length);
    return [like(x)];
  },
};

const reduce: OpSpec<'ReduceSum' | 'ReduceMean'> = {
  attributes: { keepdims: 'int' },
  infer: ([x, axes], { keepdims }) => [
    { dtype: x.dtype, shape: reduceShape(x.shape, knownInts(axes, 'axes'), keepdims !== 0) },
  ],
};

/** Every operator's attributes and its shape and dtype rule. */
export const OPS: { readonly [K in OpName]: OpSpec<K> } = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Equal: {
    attributes: {},
    infer: ([a, b]) => {
      sameDtype(a, b);
      return [{ dtype: 'bool', shape: broadcast(a.shape, b.shape) }];
    },
  },
  Where: {
    attributes: {},
    infer: ([condition, a, b]) => [
      { dtype: sameDtype(a, b), shape: broadcast(condition.shape, broadcast(a.shape, b.shape)) },
    ],
  },
  Neg: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Sigmoid: unary,
  Cos: unary,
  Sin: unary,
  Identity: { attributes: {}, infer: ([x]) => [x] },
  Cast: { attributes: { to: 'dtype' }, infer: ([x], { to }) => [like(x, to)] },
  Softmax: softmax,
  LogSoftmax: softmax,
  ReduceSum: reduce,
  ReduceMean: reduce,
  ArgMax: {
    attributes: { axis: 'int', keepdims: 'int' },
    infer: ([x], { axis, keepdims }) => [
      { dtype: 'int64', shape: reduceShape(x.shape, [axis], keepdims !== 0) },
    ],
  },
  SimplifiedLayerNormalization: {
    attributes: { axis: 'int', epsilon: 'float' },
    infer: ([x, scale]) => {
      if (equalShapes(x.shape.slice(-1), scale.shape))
        return [{ dtype: sameDtype(x, scale), shape: x.shape }];
      throw new TypeError(
        `cannot scale the last axis of ${formatShape(x.shape)} by ${formatShape(scale.shape)}`,
      );
    },
  },
  MatMul: {
    attributes: {},
    infer: ([a, b]) => [{ dtype: sameDtype(a, b), shape: matMulShape(a.shape, b.shape) }],
  },
  FusedMatMul: {
    domain: 'com.microsoft',
    attributes: { transA: 'int', transB: 'int' },
    infer: ([a, b], { transA, transB }) => {
      const shape = matMulShape(swapIf(transA, a.shape), swapIf(transB, b.shape));
      return [{ dtype: sameDtype(a, b), shape }];
    },
  },
  MatMulNBits: {
    domain: 'com.microsoft',
    attributes: { K: 'int', N: 'int', bits: 'int', block_size: 'int', accuracy_level: 'int' },
    infer: ([x, packed, scales], { K, N, bits, block_size }) => {
      const blocks = Math.ceil(K / block_size);
      const expected = [
        [N, blocks, (block_size * bits) / 8],
        [N, blocks],
      ];
      const fits = [packed, scales].every(({ shape }, i) => equalShapes(shape, expected[i]!));
      if (fits && equalShapes(x.shape.slice(-1), [K])) {
        return [{ dtype: sameDtype(x, scales), shape: [...x.shape.slice(0, -1), N] }];
      }
      throw new TypeError(`cannot multiply ${x} by ${packed} with scales ${scales}, needs K ${K} and N ${N}`);
    },
  },
  Reshape: {
    attributes: {},
    infer: ([x, shape]) => [{ dtype: x.dtype, shape: reshapeShape(x.shape, knownDims(shape, 'the shape')) }],
  },
  Transpose: {
    attributes: { perm: 'ints' },
    infer: ([x], { perm }) => [{ dtype: x.dtype, shape: transposeShape(x, perm) }],
  },
  Unsqueeze: {
    attributes: {},
    infer: ([x, axes]) => [{ dtype: x.dtype, shape: unsqueezeShape(x.shape, knownInts(axes, 'axes')) }],
  },
  Squeeze: {
    attributes: {},
    infer: ([x, axes]) => [{ dtype: x.dtype, shape: reduceShape(x.shape, knownInts(axes, 'axes'), false) }],
  },
  Expand: {
    attributes: {},
    infer: ([x, shape]) => [{ dtype: x.dtype, shape: broadcast(x.shape, knownDims(shape, 'the shape')) }],
  },
  Concat: { attributes: { axis: 'int' }, infer: ([parts], { axis }) => [joined(parts, axis)] },
  Split: {
    attributes: { axis: 'int' },
    infer: ([x, sizes], { axis }) =>
      splitShapes(x.shape, knownDims(sizes, 'sizes'), axis).map((shape) => ({ dtype: x.dtype, shape })),
  },
  Slice: {
    attributes: {},
    infer: ([x, starts, ends, axes]) => {
      const [from, to, at] = [knownInts(starts, 'starts'), knownInts(ends, 'ends'), knownInts(axes, 'axes')];
      return [{ dtype: x.dtype, shape: sliceShape(x.shape, from, to, at) }];
    },
  },
  Gather: {
    attributes: { axis: 'int' },
    infer: ([data, indices], { axis }) => {
      const at = normalizeAxis(axis, data.shape.length);
      return [
        {
          dtype: data.dtype,
          shape: [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)],
        },
      ];
    },
  },
  GatherElements: {
    attributes: { axis: 'int' },
    infer: ([data, indices], { axis }) => {
      normalizeAxis(axis, data.shape.length);
      return [{ dtype: data.dtype, shape: indices.shape }];
    },
  },
  ScatterElements: {
    attributes: { axis: 'int' },
    infer: ([data, indices, updates], { axis }) => {
      normalizeAxis(axis, data.shape.length);
      if (equalShapes(indices.shape, updates.shape)) return [like(data, sameDtype(data, updates))];
      throw new TypeError(`cannot write ${updates} at ${indices}, needs as many updates as indices`);
    },
  },
  Shape: {
    attributes: { start: 'int', end: 'int' },
    infer: ([x], { start, end }) => {
      const known = x.shape.slice(start, end);
      return [{ dtype: 'int64', shape: [known.length], known }];
    },
  },
  RotaryEmbedding: {
    attributes: {},
    infer: ([x, cos, sin]) => {
      const [batch, , rows, size] = x.shape;
      const half = typeof size === 'number' ? size / 2 : 0;
      const expected = [batch!, rows!, half];
      if (x.shape.length === 4 && equalShapes(cos.shape, expected) && equalShapes(sin.shape, expected))
        return [like(x)];
      throw new TypeError(
        `cannot rotate ${formatShape(x.shape)} by ${formatShape(cos.shape)}, needs [B, S, D/2]`,
      );
    },
  },
};

function transposeShape(x: Value, perm: readonly number[]): TensorType['shape'] {
  const sorted = [...perm].sort((a, b) => a - b);
  if (sorted.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
    throw new TypeError(`cannot transpose ${formatShape(x.shape)} by ${formatShape(perm)}`);
  }
  return perm.map((axis) => x.shape[axis]!);
}

/** `shape` with its last two axes swapped where `swap` is 1. */
function swapIf(swap: number, shape: Shape): Shape {
  return swap === 1 ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
}

/** Joined int64 vectors of known contents stay known, so that sizes can be put together. */
function joined(parts: readonly Value[], axis: number): TensorType {
  const shape = concatShape(parts, axis);
  const dtype = sameDtype(...parts);
  const known = parts.flatMap((part) => part.known ?? []);
  return parts.every((part) => part.known !== undefined) ? { dtype, shape, known } : { dtype, shape };
}
