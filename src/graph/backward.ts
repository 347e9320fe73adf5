import { equalDims, type Node, type OpMethods, type Value } from '../onnx/index.ts';
import { type BackwardRule, backwardRules } from './backward-rules.ts';

/**
 * Adds the nodes of reverse-mode differentiation to the graph that `op` builds: d loss / d value for each of `wrt`,
 * in their order, each of its value's shape, float32.
 *
 * @param loss float32 scalar (or of one element); a sum, never a mean, where Fisher information is wanted.
 * @throws TypeError naming operator and node where a rule is missing, and where the loss does not depend on a value.
 */
export function differentiate(op: OpMethods, loss: Value, wrt: readonly Value[]): Value[] {
  const gradients = new Gradients(op);
  gradients.add(loss, op.Expand(1, op.Shape(loss, { start: 0, end: loss.shape.length })));
  for (const node of nodesBetween(wrt, loss).reverse()) propagate(node, gradients, op);
  return wrt.map((value) => {
    const gradient = gradients.get(value);
    if (gradient === undefined) throw new TypeError(`the loss ${loss.name} does not depend on ${value.name}`);
    return gradient;
  });
}

/** Carries the gradients of a node's outputs on to those of its inputs that lead to a wanted value. */
function propagate({ node, onPath }: PathNode, gradients: Gradients, op: OpMethods): void {
  if (node.outputs.every((output) => gradients.get(output) === undefined)) return;
  const upstream = node.outputs.map((output) => gradients.get(output) ?? zerosLike(output, op));
  const perInput = ruleFor(node)(upstream, node, op);
  node.inputs.forEach((input, i) => {
    const gradient = perInput[i];
    if (input !== undefined && onPath[i] && gradient) gradients.add(input, gradient());
  });
}

function ruleFor(node: Node): BackwardRule {
  const rules: Readonly<Record<string, BackwardRule | undefined>> = backwardRules;
  const rule = rules[node.op];
  if (rule !== undefined) return rule;
  throw new TypeError(
    `no backward rule for ${node.op} (node ${node.name}); rules are in graph/backward-rules.ts`,
  );
}

/** The gradient of each value met so far; shared values add up, broadcast ones are summed to their shape. */
class Gradients {
  readonly #op: OpMethods;
  readonly #byValue = new Map<Value, Value>();

  constructor(op: OpMethods) {
    this.#op = op;
  }

  get(value: Value): Value | undefined {
    return this.#byValue.get(value);
  }

  add(value: Value, gradient: Value): void {
    const summed = sumToShape(gradient, value, this.#op);
    const before = this.#byValue.get(value);
    this.#byValue.set(value, before === undefined ? summed : this.#op.Add(before, summed));
  }
}

/** Undoes broadcasting: sums the axes that `value` lacks or has with size 1. */
function sumToShape(gradient: Value, value: Value, op: OpMethods): Value {
  const extra = gradient.shape.length - value.shape.length;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const aligned = extra > 0 ? op.ReduceSum(gradient, leading, { keepdims: 0 }) : gradient;
  const stretched = value.shape.flatMap((dim, axis) =>
    equalDims(dim, 1) && !equalDims(aligned.shape[axis]!, 1) ? [axis] : [],
  );
  return stretched.length > 0 ? op.ReduceSum(aligned, stretched, { keepdims: 1 }) : aligned;
}

function zerosLike(value: Value, op: OpMethods): Value {
  return op.Expand(0, op.Shape(value, { start: 0, end: value.shape.length }));
}

interface PathNode {
  readonly node: Node;
  /** Per input: whether a wanted value lies behind it. */
  readonly onPath: readonly boolean[];
}

/** Nodes on a way from a wanted value to the loss, in the order in which they are computed. */
function nodesBetween(wrt: readonly Value[], loss: Value): PathNode[] {
  const path: PathNode[] = [];
  const leadsToWanted = new Map<Value, boolean>(wrt.map((value) => [value, true]));
  const visited = new Set<Node>();
  const visit = (value: Value): boolean => {
    const node = value.producer;
    if (node !== undefined && !visited.has(node)) {
      visited.add(node);
      const onPath = node.inputs.map((input) => input !== undefined && visit(input));
      const isOnPath = onPath.some(Boolean);
      if (isOnPath) path.push({ node, onPath });
      for (const output of node.outputs) if (isOnPath) leadsToWanted.set(output, true);
    }
    return leadsToWanted.get(value) ?? false;
  };
  visit(loss);
  return path;
}
