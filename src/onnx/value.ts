import { canonicalDim, type Dim, formatShape, type Shape } from './dims.ts';

/** Element types that our graphs use, by ONNX's names. */
export type Dtype = 'float32' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'bool' | 'uint8' | 'int8';

export interface TensorType {
  readonly dtype: Dtype;
  readonly shape: Shape;
  /** Contents, where an int64 tensor's are known while building: an axis list, the sizes of a `Shape`. */
  readonly known?: readonly Dim[] | undefined;
}

/** Where an initializer's bytes lie: in the model itself, or in a file of the weights folder. */
export type InitializerData =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'external';
      readonly file: string;
      readonly offsetBytes: number;
      readonly lengthBytes: number;
    };

/** A tensor in a graph: an input, an initializer, or what a node puts out. Compared by identity. */
export class Value {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly known: readonly Dim[] | undefined;
  /** `undefined` for graph inputs and initializers. */
  producer: Node | undefined;

  constructor(name: string, type: TensorType) {
    this.name = name;
    this.dtype = type.dtype;
    this.shape = type.shape.map(canonicalDim);
    this.known = type.known;
  }

  toString(): string {
    return `${this.dtype} ${formatShape(this.shape)}`;
  }
}

export type AttributeKind = 'int' | 'float' | 'ints' | 'dtype';
export type AttributeValue = number | readonly number[] | Dtype;

/** A branch of an `If`: takes nothing, may read every value of the graphs around it. */
export interface Subgraph {
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}

export interface Node {
  readonly op: string;
  readonly domain: '' | 'com.microsoft';
  /** Scoped and unique, e.g. `layers.3.attn.q.MatMul`. */
  readonly name: string;
  /** In ONNX's order; `undefined` where an optional input is left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Of an `If` only. */
  readonly branches?: { readonly thenBranch: Subgraph; readonly elseBranch: Subgraph };
}

export interface Initializer {
  readonly value: Value;
  readonly data: InitializerData;
}

/** A finished graph; nodes are in the order of their creation, which is a topological one. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: readonly Initializer[];
}
