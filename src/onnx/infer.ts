import { addDims, type Dim, divideDim, equalDims, formatShape, multiplyDims, type Shape } from './dims.ts';
import type { Dtype, TensorType, Value } from './value.ts';

/** Shape and dtype rules shared by operators. They throw a TypeError; the builder adds the node's name. */

export function sameDtype(...values: readonly Value[]): Dtype {
  const dtype = values[0]!.dtype;
  if (values.every((value) => value.dtype === dtype)) return dtype;
  throw new TypeError(`needs operands of one dtype, found ${values.join(' and ')}`);
}

/** ONNX's multidirectional broadcasting. A symbol matches only itself and 1. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const dimA = a[axis - rank + a.length] ?? 1;
    const dimB = b[axis - rank + b.length] ?? 1;
    if (dimB === 1 || equalDims(dimA, dimB)) return dimA;
    if (dimA === 1) return dimB;
    throw new TypeError(`cannot broadcast ${formatShape(a)} with ${formatShape(b)}`);
  });
}

export function matMulShape(a: Shape, b: Shape): Shape {
  const [m, k] = a.slice(-2);
  const [kB, n] = b.slice(-2);
  if (a.length < 2 || b.length < 2 || !equalDims(k!, kB!)) {
    throw new TypeError(`cannot multiply ${formatShape(a)} by ${formatShape(b)}`);
  }
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), m!, n!];
}

/** `axis` counted from the front. */
export function normalizeAxis(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(at) && at >= 0 && at < rank) return at;
  throw new TypeError(`has axis ${axis}, needs one of ${-rank} to ${rank - 1}`);
}

/** Contents of an int64 operand that must be known while building. */
export function knownDims(value: Value, what: string): readonly Dim[] {
  if (value.known !== undefined) return value.known;
  throw new TypeError(`needs ${what} known while building, found the computed ${value}`);
}

export function knownInts(value: Value, what: string): readonly number[] {
  return knownDims(value, what).map((dim) => {
    if (typeof dim === 'number') return dim;
    throw new TypeError(`needs ${what} as numbers, found ${dim}`);
  });
}

/** Output shape of Reshape: 0 copies the input's dim, -1 takes what is left. */
export function reshapeShape(from: Shape, target: readonly Dim[]): Shape {
  const copied = target.map((dim, axis) => (dim === 0 ? (from[axis] ?? 0) : dim));
  const total = multiplyDims(...from);
  const known = copied.filter((dim) => dim !== -1);
  const rest = remainder(from, known);
  const missing = copied.length - known.length;
  if (missing > 1 || rest === undefined || (missing === 0 && !equalDims(rest, 1))) {
    throw new TypeError(`cannot reshape ${formatShape(from)} (${total} elements) to ${formatShape(target)}`);
  }
  return copied.map((dim) => (dim === -1 ? rest : dim));
}

/** Product of `from` over product of `known`; equal dims cancel first, so that sums may occur on both sides. */
function remainder(from: Shape, known: Shape): Dim | undefined {
  const left = [...from];
  const divisors = known.filter((dim) => {
    const at = left.findIndex((other) => equalDims(other, dim));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return divideDim(multiplyDims(...left), multiplyDims(...divisors));
}

export function concatShape(parts: readonly Value[], axis: number): Shape {
  const [first] = parts;
  if (first === undefined) throw new TypeError('has nothing to join, needs one tensor or more');
  const at = normalizeAxis(axis, first.shape.length);
  for (const { shape } of parts) {
    const fits =
      shape.length === first.shape.length &&
      shape.every((dim, i) => i === at || equalDims(dim, first.shape[i]!));
    if (!fits)
      throw new TypeError(
        `cannot join ${formatShape(first.shape)} and ${formatShape(shape)} along axis ${axis}`,
      );
  }
  return first.shape.map((dim, i) => (i === at ? addDims(...parts.map((part) => part.shape[at]!)) : dim));
}

export function splitShapes(shape: Shape, sizes: readonly Dim[], axis: number): readonly Shape[] {
  const at = normalizeAxis(axis, shape.length);
  if (!equalDims(addDims(...sizes), shape[at]!)) {
    throw new TypeError(`cannot split axis ${axis} of ${formatShape(shape)} into ${formatShape(sizes)}`);
  }
  return sizes.map((size) => shape.map((dim, i) => (i === at ? size : dim)));
}

export function reduceShape(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  const reduced = new Set(axes.map((axis) => normalizeAxis(axis, shape.length)));
  return shape.flatMap((dim, axis) => (reduced.has(axis) ? (keep ? [1] : []) : [dim]));
}

export function unsqueezeShape(shape: Shape, axes: readonly number[]): Shape {
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => normalizeAxis(axis, rank)));
  const rest = [...shape];
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!));
}

/** Slice with step 1 of axes whose bounds are numbers; bounds past a numeric end are cut as ONNX does. */
export function sliceShape(
  shape: Shape,
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[],
): Shape {
  const sliced = [...shape];
  axes.forEach((axis, i) => {
    const at = normalizeAxis(axis, shape.length);
    sliced[at] = sliceDim(shape[at]!, starts[i]!, ends[i]!);
  });
  return sliced;
}

function sliceDim(dim: Dim, start: number, end: number): Dim {
  if (typeof dim === 'number') return clampIndex(end, dim) - clampIndex(start, dim);
  if (start >= 0 && end === start) return 0;
  throw new TypeError(
    `cannot slice the symbolic dim ${dim} from ${start} to ${end}, needs a number or Split`,
  );
}

function clampIndex(index: number, size: number): number {
  return Math.min(Math.max(index < 0 ? index + size : index, 0), size);
}

/** The same dtype and shape, contents unknown. */
export function like(x: Value, dtype: Dtype = x.dtype): TensorType {
  return { dtype, shape: x.shape };
}
