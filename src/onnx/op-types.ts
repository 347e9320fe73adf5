import type { Dtype, Value } from './value.ts';

/**
 * Inputs and attributes of every operator we use. A misspelt operator or attribute does not compile.
 * Meanings are those of the ONNX operator reference; `com.microsoft` ones are in ONNX Runtime's ContribOperators.md.
 */
export interface OpTypes {
  // elementwise, with broadcasting
  Add: { inputs: [a: Value, b: Value] };
  Sub: { inputs: [a: Value, b: Value] };
  Mul: { inputs: [a: Value, b: Value] };
  Div: { inputs: [a: Value, b: Value] };
  Equal: { inputs: [a: Value, b: Value] };
  Where: { inputs: [condition: Value, a: Value, b: Value] };

  // elementwise
  Neg: { inputs: [x: Value] };
  Exp: { inputs: [x: Value] };
  Log: { inputs: [x: Value] };
  Sqrt: { inputs: [x: Value] };
  Reciprocal: { inputs: [x: Value] };
  Sigmoid: { inputs: [x: Value] };
  Cos: { inputs: [x: Value] };
  Sin: { inputs: [x: Value] };
  Identity: { inputs: [x: Value] };
  Cast: { inputs: [x: Value]; attributes: { to: Dtype } };

  // along one axis
  Softmax: { inputs: [x: Value]; attributes: { axis: number } };
  LogSoftmax: { inputs: [x: Value]; attributes: { axis: number } };
  ReduceSum: { inputs: [x: Value, axes: Value]; attributes: { keepdims: number } };
  ReduceMean: { inputs: [x: Value, axes: Value]; attributes: { keepdims: number } };
  /** int64 */
  ArgMax: { inputs: [x: Value]; attributes: { axis: number; keepdims: number } };
  /** y = x / sqrt(mean(x^2, last axis) + epsilon) * scale */
  SimplifiedLayerNormalization: {
    inputs: [x: Value, scale: Value];
    attributes: { axis: number; epsilon: number };
  };

  // products
  MatMul: { inputs: [a: Value, b: Value] };
  /** com.microsoft; transA and transB (0 or 1) swap the last two axes of a and b without a copy. */
  FusedMatMul: { inputs: [a: Value, b: Value]; attributes: { transA: number; transB: number } };

  /**
   * com.microsoft; `x @ W^T` with W [N, K] in blocks of rounded numbers: packed uint8 [N, blocks, bytes], scales [N, blocks].
   * accuracy_level 4 also rounds x to 8 bits per block, which is what makes it fast on a CPU.
   */
  MatMulNBits: {
    inputs: [x: Value, packed: Value, scales: Value];
    attributes: { K: number; N: number; bits: number; block_size: number; accuracy_level: number };
  };

  // movement
  Reshape: { inputs: [x: Value, shape: Value] };
  Transpose: { inputs: [x: Value]; attributes: { perm: readonly number[] } };
  Unsqueeze: { inputs: [x: Value, axes: Value] };
  Squeeze: { inputs: [x: Value, axes: Value] };
  Expand: { inputs: [x: Value, shape: Value] };
  Concat: { inputs: [parts: readonly Value[]]; attributes: { axis: number } };
  /** One output per entry of `sizes`, whose contents must be known (numbers or dims). */
  Split: { inputs: [x: Value, sizes: Value]; attributes: { axis: number }; outputs: 'many' };
  Slice: { inputs: [x: Value, starts: Value, ends: Value, axes: Value] };
  Gather: { inputs: [data: Value, indices: Value]; attributes: { axis: number } };
  GatherElements: { inputs: [data: Value, indices: Value]; attributes: { axis: number } };
  /** `data` with `updates` written at `indices`, each place at most once. */
  ScatterElements: { inputs: [data: Value, indices: Value, updates: Value]; attributes: { axis: number } };
  /** Sizes of axes start to end (end excluded), int64. */
  Shape: { inputs: [x: Value]; attributes: { start: number; end: number } };

  /**
   * Rotates `x` [B, heads, S, D] by position: halves (x1, x2) become (x1 cos - x2 sin, x2 cos + x1 sin).
   * cos and sin are [B, S, D/2].
   */
  RotaryEmbedding: { inputs: [x: Value, cos: Value, sin: Value] };
}

export type OpName = keyof OpTypes;
export type OpInputs<K extends OpName> = OpTypes[K]['inputs'];
export type OpAttributes<K extends OpName> = OpTypes[K] extends { attributes: infer A }
  ? A
  : Record<never, never>;

/** What a caller may write for an input: a number is a float32 scalar, a list of numbers an int64 vector. */
export type Operand = Value | number | readonly number[];
type Operands<I extends readonly unknown[]> = { [P in keyof I]: I[P] extends Value ? Operand : I[P] };
type Arguments<K extends OpName> = keyof OpAttributes<K> extends never
  ? Operands<OpInputs<K>>
  : [...Operands<OpInputs<K>>, attributes: OpAttributes<K>];

/** `op.MatMul(x, w)`, `op.Softmax(x, { axis: -1 })`, `op.Split(x, [2, 3], { axis: 0 })`. */
export type OpMethods = {
  readonly [K in OpName]: (
    ...args: Arguments<K>
  ) => OpTypes[K] extends { outputs: 'many' } ? readonly Value[] : Value;
};
