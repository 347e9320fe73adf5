import type { Node, OpMethods, OpName, Value } from '../onnx/index.ts';

/** Builds the gradient of one input. A thunk, so that no node is made for an input that nobody asks about. */
export type Gradient = (() => Value) | null;

/**
 * Reverse mode of one operator: from the gradients of a node's outputs to one gradient per input, `null` where the
 * loss does not depend on it differentiably. A gradient has its output's or a broadcast shape: the driver sums it
 * down to the input's. All gradients are float32, whatever a weight is stored in.
 */
export type BackwardRule = (upstream: readonly Value[], node: Node, op: OpMethods) => readonly Gradient[];

/** The rules by operator; formulas in terms of x (inputs), y (output) and dy (upstream). */
export const backwardRules: { readonly [K in OpName]?: BackwardRule } = {
  Add: ([dy]) => [() => dy!, () => dy!],
  Sub: ([dy], _node, op) => [() => dy!, () => op.Neg(dy!)],
  Mul: ([dy], node, op) => [() => op.Mul(dy!, input(node, 1)), () => op.Mul(dy!, input(node, 0))],
  Div: ([dy], node, op) => [
    () => op.Div(dy!, input(node, 1)),
    () => op.Neg(op.Div(op.Mul(dy!, output(node)), input(node, 1))),
  ],
  Where: ([dy], node, op) => [
    null,
    () => op.Where(input(node, 0), dy!, 0),
    () => op.Where(input(node, 0), 0, dy!),
  ],
  Equal: () => [null, null],

  Neg: ([dy], _node, op) => [() => op.Neg(dy!)],
  Exp: ([dy], node, op) => [() => op.Mul(dy!, output(node))],
  Log: ([dy], node, op) => [() => op.Div(dy!, input(node, 0))],
  Sqrt: ([dy], node, op) => [() => op.Div(op.Mul(dy!, 0.5), output(node))],
  Reciprocal: ([dy], node, op) => [() => op.Neg(op.Mul(dy!, op.Mul(output(node), output(node))))],
  Sigmoid: ([dy], node, op) => [() => op.Mul(dy!, op.Mul(output(node), op.Sub(1, output(node))))],
  Cos: ([dy], node, op) => [() => op.Neg(op.Mul(dy!, op.Sin(input(node, 0))))],
  Sin: ([dy], node, op) => [() => op.Mul(dy!, op.Cos(input(node, 0)))],
  Identity: ([dy]) => [() => dy!],
  // Widening a stored weight is exact, and its gradient stays float32: bf16 would round it to three digits.
  Cast: ([dy], node) => [isFloat(input(node, 0)) ? () => dy! : null],

  Softmax: ([dy], node, op) => [() => softmaxGradient(dy!, node, op)],
  LogSoftmax: ([dy], node, op) => [
    () => op.Sub(dy!, op.Mul(op.Exp(output(node)), sumAlong(dy!, attributeNumber(node, 'axis'), op))),
  ],
  ReduceSum: ([dy], node, op) => [
    () => op.Expand(restoreAxes(dy!, node, op), shapeOf(input(node, 0), op)),
    null,
  ],
  ReduceMean: ([dy], node, op) => [
    () => op.Expand(op.Div(restoreAxes(dy!, node, op), reducedCount(node)), shapeOf(input(node, 0), op)),
    null,
  ],
  SimplifiedLayerNormalization: ([dy], node, op) => [
    () => normInputGradient(dy!, node, op),
    () => op.Mul(dy!, op.Mul(input(node, 0), inverseRms(node, op))),
  ],

  // Transposing within the product: a Transpose of a weight would be folded into a second copy of it.
  MatMul: ([dy], node, op) => [
    () => op.FusedMatMul(dy!, input(node, 1), { transA: 0, transB: 1 }),
    () => matMulRightGradient(dy!, node, op),
  ],
  FusedMatMul: ([dy], node, op) => [
    () => fusedLeftGradient(dy!, node, op),
    () => fusedRightGradient(dy!, node, op),
  ],

  Reshape: ([dy], node, op) => [() => op.Reshape(dy!, shapeOf(input(node, 0), op)), null],
  Transpose: ([dy], node, op) => [
    () => op.Transpose(dy!, { perm: invertPermutation(attributeNumbers(node, 'perm')) }),
  ],
  Unsqueeze: ([dy], node, op) => [() => op.Squeeze(dy!, input(node, 1)), null],
  Squeeze: ([dy], node, op) => [() => op.Unsqueeze(dy!, input(node, 1)), null],
  Expand: ([dy]) => [() => dy!, null],
  Concat: ([dy], node, op) => splitLike(dy!, node, op),
  Split: (upstream, node, op) => [() => op.Concat(upstream, { axis: attributeNumber(node, 'axis') }), null],
  GatherElements: ([dy], node, op) => [() => scatterElements(dy!, node, op), null],

  // The transpose of a rotation turns the other way.
  RotaryEmbedding: ([dy], node, op) => [
    () => op.RotaryEmbedding(dy!, input(node, 1), op.Neg(input(node, 2))),
    null,
    null,
  ],
};

/** y * (dy - sum(dy * y)) */
function softmaxGradient(dy: Value, node: Node, op: OpMethods): Value {
  const y = output(node);
  const shared = sumAlong(op.Mul(dy, y), attributeNumber(node, 'axis'), op);
  return op.Mul(y, op.Sub(dy, shared));
}

/** With n = x / rms(x) and h = dy * scale: (h - n * mean(h * n)) / rms(x), means along the last axis. */
function normInputGradient(dy: Value, node: Node, op: OpMethods): Value {
  const inverse = inverseRms(node, op);
  const normalized = op.Mul(input(node, 0), inverse);
  const scaled = op.Mul(dy, input(node, 1));
  const shared = op.ReduceMean(op.Mul(scaled, normalized), [-1], { keepdims: 1 });
  return op.Mul(op.Sub(scaled, op.Mul(normalized, shared)), inverse);
}

/** 1 / sqrt(mean(x^2) + epsilon), recomputed: one number per row, so nothing large is kept for it. */
function inverseRms(node: Node, op: OpMethods): Value {
  const x = input(node, 0);
  if (attributeNumber(node, 'axis') !== -1) throw new TypeError(`${node.name}: needs axis -1`);
  const meanSquare = op.ReduceMean(op.Mul(x, x), [-1], { keepdims: 1 });
  return op.Reciprocal(op.Sqrt(op.Add(meanSquare, attributeNumber(node, 'epsilon'))));
}

/** a^T dy; a weight shared by all batches gets one product over all rows instead of one per batch and a sum. */
function matMulRightGradient(dy: Value, node: Node, op: OpMethods): Value {
  const [a, b] = [input(node, 0), input(node, 1)];
  const transposed = { transA: 1, transB: 0 };
  if (b.shape.length > 2 || a.shape.length === 2) return op.FusedMatMul(a, dy, transposed);
  return op.FusedMatMul(flattenRows(a, op), flattenRows(dy, op), transposed);
}

/** y = a b gives dy b^T, y = a b^T gives dy b. */
function fusedLeftGradient(dy: Value, node: Node, op: OpMethods): Value {
  requireUntransposedLeft(node);
  return op.FusedMatMul(dy, input(node, 1), { transA: 0, transB: 1 - attributeNumber(node, 'transB') });
}

/** y = a b gives a^T dy, y = a b^T gives dy^T a. */
function fusedRightGradient(dy: Value, node: Node, op: OpMethods): Value {
  requireUntransposedLeft(node);
  if (attributeNumber(node, 'transB') === 0) return matMulRightGradient(dy, node, op);
  const [a, b] = [input(node, 0), input(node, 1)];
  const transposed = { transA: 1, transB: 0 };
  if (b.shape.length > 2 || a.shape.length === 2) return op.FusedMatMul(dy, a, transposed);
  return op.FusedMatMul(flattenRows(dy, op), flattenRows(a, op), transposed);
}

function requireUntransposedLeft(node: Node): void {
  if (attributeNumber(node, 'transA') !== 0) throw new TypeError(`${node.name}: needs transA 0`);
}

/** [..., N] as [rows, N]; N has to be a number. */
function flattenRows(x: Value, op: OpMethods): Value {
  const size = x.shape.at(-1);
  if (typeof size === 'number') return op.Reshape(x, [-1, size]);
  throw new TypeError(`${x.name}: the gradient of a shared factor needs rows of fixed size, found ${x}`);
}

/** Concat's inputs share one Split. */
function splitLike(dy: Value, node: Node, op: OpMethods): readonly Gradient[] {
  const rank = output(node).shape.length;
  const axis = (attributeNumber(node, 'axis') + rank) % rank;
  let parts: readonly Value[] | undefined;
  const split = (): readonly Value[] => {
    const sizes = node.inputs.map((_, i) => op.Shape(input(node, i), { start: axis, end: axis + 1 }));
    return op.Split(dy, op.Concat(sizes, { axis: 0 }), { axis });
  };
  return node.inputs.map((_, i) => () => {
    parts ??= split();
    return parts[i]!;
  });
}

/** Zeros with dy at the gathered places. A place gathered twice would need a sum: one index per row only. */
function scatterElements(dy: Value, node: Node, op: OpMethods): Value {
  const axis = attributeNumber(node, 'axis');
  const indices = input(node, 1);
  if (indices.shape.at(axis) !== 1) {
    throw new TypeError(`${node.name}: its gradient needs one index along axis ${axis}, found ${indices}`);
  }
  return op.ScatterElements(op.Expand(0, shapeOf(input(node, 0), op)), indices, dy, { axis });
}

function sumAlong(x: Value, axis: number, op: OpMethods): Value {
  return op.ReduceSum(x, [axis], { keepdims: 1 });
}

/** Gives a reduced dy its axes of size 1 back. */
function restoreAxes(dy: Value, node: Node, op: OpMethods): Value {
  return attributeNumber(node, 'keepdims') === 1 ? dy : op.Unsqueeze(dy, input(node, 1));
}

/** Elements that went into one mean. */
function reducedCount(node: Node): number {
  const x = input(node, 0);
  const axes = input(node, 1).known ?? [];
  const sizes = axes.map((axis) => x.shape.at(Number(axis)));
  if (axes.length > 0 && sizes.every((size) => typeof size === 'number')) {
    return sizes.reduce((product, size) => product * size, 1);
  }
  throw new TypeError(`${node.name}: the gradient of a mean needs known axes of fixed size, found ${x}`);
}

function shapeOf(x: Value, op: OpMethods): Value {
  return op.Shape(x, { start: 0, end: x.shape.length });
}

function invertPermutation(perm: readonly number[]): number[] {
  return perm.map((_, axis) => perm.indexOf(axis));
}

function isFloat({ dtype }: Value): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';
}

function input(node: Node, index: number): Value {
  const value = node.inputs[index];
  if (value === undefined)
    throw new TypeError(`${node.name}: its gradient needs input ${index}, which is left out`);
  return value;
}

function output(node: Node): Value {
  return node.outputs[0]!;
}

function attributeNumber(node: Node, name: string): number {
  const value = node.attributes[name];
  if (typeof value !== 'number') throw new TypeError(`${node.name}: needs the attribute ${name} as a number`);
  return value;
}

function attributeNumbers(node: Node, name: string): readonly number[] {
  const value = node.attributes[name];
  if (!Array.isArray(value)) throw new TypeError(`${node.name}: needs the attribute ${name} as a list`);
  return value;
}
