import { messageOf } from '../lib/errors.ts';
import { type ConstantData, encodeConstant } from './constant.ts';
import { type Dim, equalDims, formatShape, type Shape } from './dims.ts';
import { OPS, type OpSpec } from './op-table.ts';
import type { OpMethods, OpName } from './op-types.ts';
import {
  type AttributeValue,
  type Dtype,
  type Graph,
  type Initializer,
  type InitializerData,
  type Node,
  type Subgraph,
  type TensorType,
  Value,
} from './value.ts';

/**
 * Builds one graph, operator by operator: every value knows its dtype and shape, every node its inputs and outputs.
 * Constants and initializers are stored once, in the root graph, wherever they are asked for.
 */
export class GraphBuilder {
  /** One method per operator of the table. */
  readonly op: OpMethods;
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #initializers = new Map<string, Initializer>();
  /** Names in use, each with the number that the next node of that name tries first. */
  readonly #names = new Map<string, number>();
  readonly #scopes: string[] = [];
  /** Node lists of the root graph and the branches being built, innermost last. */
  readonly #nodes: Node[][] = [[]];

  constructor() {
    const names = Object.keys(OPS) as OpName[];
    const method = (name: OpName) => [name, (...args: unknown[]) => this.#call(name, args)];
    this.op = Object.fromEntries(names.map(method)) as OpMethods;
  }

  input(name: string, dtype: Dtype, shape: Shape): Value {
    const value = new Value(this.#reserve(name), { dtype, shape });
    this.#inputs.push(value);
    return value;
  }

  /** Makes `value` an output named `name`. `shape` declares other symbols than those inferred. */
  output(name: string, value: Value, shape: Shape = value.shape): void {
    this.#reserve(name);
    const output = new Value(name, { dtype: value.dtype, shape });
    this.#push({
      op: 'Identity',
      domain: '',
      name: `${name}.Identity`,
      inputs: [value],
      outputs: [output],
      attributes: {},
    });
    this.#outputs.push(output);
  }

  /** A weight. Asking twice for one name gives the same value. */
  initializer(name: string, dtype: Dtype, shape: Shape, data: InitializerData): Value {
    const existing = this.#initializers.get(name);
    if (existing !== undefined) return existing.value;
    return this.#store(new Value(this.#reserve(name), { dtype, shape }), data);
  }

  /** A small constant; equal ones share one initializer. */
  constant(data: ConstantData, dtype: Dtype, shape: Shape): Value {
    const bytes = encodeConstant(data, dtype);
    const name = `const.${dtype}${formatShape(shape)}:${bytes.join()}`;
    const existing = this.#initializers.get(name);
    if (existing !== undefined) return existing.value;
    const known = dtype === 'int64' ? { known: [...data].map(Number) } : {};
    const value = new Value(`const.${this.#initializers.size}`, { dtype, shape, ...known });
    return this.#store(value, { kind: 'inline', bytes }, name);
  }

  /** Runs `body`; names of what it makes start with `name.`. */
  scope<T>(name: string, body: () => T): T {
    this.#scopes.push(name);
    try {
      return body();
    } finally {
      this.#scopes.pop();
    }
  }

  /** Reshape to dims that may be symbols, as long as at most one of them moves to another axis. */
  reshape(x: Value, shape: Shape): Value {
    const target = shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim;
      return x.shape[axis] !== undefined && equalDims(x.shape[axis], dim) ? 0 : -1;
    });
    return this.op.Reshape(x, target);
  }

  /** `thenBody` where `condition` (bool [1]) is true, else `elseBody`; both return the same number of values. */
  if(condition: Value, thenBody: () => readonly Value[], elseBody: () => readonly Value[]): readonly Value[] {
    const name = this.#reserve(this.#scoped('If'));
    const thenBranch = this.#branch(`${name}.then`, thenBody);
    const elseBranch = this.#branch(`${name}.else`, elseBody);
    const outputs = mergeBranches(name, thenBranch, elseBranch);
    return this.#push({
      op: 'If',
      domain: '',
      name,
      inputs: [condition],
      outputs,
      attributes: {},
      branches: { thenBranch, elseBranch },
    });
  }

  build(): Graph {
    return {
      nodes: this.#nodes[0]!,
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: [...this.#initializers.values()],
    };
  }

  #call(op: OpName, args: readonly unknown[]): Value | readonly Value[] {
    // The typed methods guarantee what the casts say: operands first, then attributes where the operator has any.
    const spec = OPS[op] as unknown as OpSpec<'Concat'>;
    const hasAttributes = Object.keys(spec.attributes).length > 0;
    const attributes = (hasAttributes ? args.at(-1) : {}) as Record<string, AttributeValue>;
    const operands = (hasAttributes ? args.slice(0, -1) : args).map((operand) => this.#operand(operand));
    const name = this.#reserve(this.#scoped(op));
    const types = this.#infer(name, op, () => spec.infer(operands as never, attributes as never));
    const outputs = types.map((type, i) => new Value(types.length === 1 ? name : `${name}:${i}`, type));
    const inputs = operands.flat() as Value[];
    this.#push({ op, domain: spec.domain ?? '', name, inputs, outputs, attributes });
    return op === 'Split' ? outputs : outputs[0]!;
  }

  #infer(name: string, op: string, infer: () => readonly TensorType[]): readonly TensorType[] {
    try {
      return infer();
    } catch (cause) {
      const problem = messageOf(cause);
      throw new TypeError(`Building ${name}: ${op} ${problem}.`, { cause });
    }
  }

  #operand(operand: unknown): unknown {
    if (typeof operand === 'number') return this.constant([operand], 'float32', []);
    if (Array.isArray(operand) && typeof operand[0] === 'number')
      return this.constant(operand, 'int64', [operand.length]);
    return operand;
  }

  #branch(name: string, body: () => readonly Value[]): Subgraph {
    const nodes: Node[] = [];
    this.#nodes.push(nodes);
    try {
      // ONNX wants a branch to produce its outputs itself, each under a name of its own.
      const identities = () => body().map((value) => this.op.Identity(value));
      const outputs = this.scope(name.slice(this.#prefix().length), identities);
      return { nodes, outputs };
    } finally {
      this.#nodes.pop();
    }
  }

  #push(node: Node): readonly Value[] {
    for (const output of node.outputs) output.producer = node;
    this.#nodes.at(-1)!.push(node);
    return node.outputs;
  }

  #store(value: Value, data: InitializerData, key: string = value.name): Value {
    this.#initializers.set(key, { value, data });
    return value;
  }

  #prefix(): string {
    return this.#scopes.map((scope) => `${scope}.`).join('');
  }

  #scoped(op: string): string {
    return this.#prefix() + op;
  }

  /** `name`, or with a number behind it if it is taken. */
  #reserve(name: string): string {
    const next = this.#names.get(name);
    if (next === undefined) {
      this.#names.set(name, 1);
      return name;
    }
    let number = next;
    while (this.#names.has(`${name}_${number}`)) number++;
    this.#names.set(name, number + 1).set(`${name}_${number}`, 1);
    return `${name}_${number}`;
  }
}

/** Outputs of an If: a dim on which the branches differ becomes a symbol of its own. */
function mergeBranches(name: string, a: Subgraph, b: Subgraph): readonly Value[] {
  if (a.outputs.length !== b.outputs.length) {
    throw new TypeError(
      `Building ${name}: If has branches of ${a.outputs.length} and ${b.outputs.length} outputs, needs as many.`,
    );
  }
  return a.outputs.map((value, i) => {
    const other = b.outputs[i]!;
    if (value.dtype !== other.dtype || value.shape.length !== other.shape.length) {
      throw new TypeError(
        `Building ${name}: If cannot give ${value} in one branch and ${other} in the other.`,
      );
    }
    const shape = value.shape.map(
      (dim, axis): Dim =>
        equalDims(dim, other.shape[axis]!) ? dim : `${name.replaceAll(/[+*]/g, '_')}:${i}:${axis}`,
    );
    return new Value(`${name}:${i}`, { dtype: value.dtype, shape });
  });
}
