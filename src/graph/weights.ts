import type { ModelFolder, StoredDtype, TensorRef } from '../hf/types.ts';
import type { Dtype, GraphBuilder, Value } from '../onnx/index.ts';

const DTYPES: Readonly<Record<StoredDtype, Dtype>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/**
 * The checkpoint's tensors as values of a graph. Initializers point into the safetensors files; joining and
 * widening are nodes over them, which ONNX Runtime folds when it opens the session. No weight is written anywhere.
 */
export class Weights {
  readonly #g: GraphBuilder;
  readonly #tensors: ReadonlyMap<string, TensorRef>;

  constructor(g: GraphBuilder, folder: ModelFolder) {
    this.#g = g;
    this.#tensors = folder.tensors;
  }

  /** As stored: the checkpoint's dtype and shape. */
  stored(name: string): Value {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined)
      throw new TypeError(`Building the graph: the model folder has no tensor ${name}.`);
    const { dtype, shape, file, offsetBytes, lengthBytes } = tensor;
    return this.#g.initializer(name, DTYPES[dtype], shape, {
      kind: 'external',
      file,
      offsetBytes,
      lengthBytes,
    });
  }

  /** Tensors joined along their first axis, float32. Joined as stored, so that the copy in between is the smaller one. */
  joined(names: readonly string[]): Value {
    const parts = names.map((name) => this.stored(name));
    return this.#widen(parts.length === 1 ? parts[0]! : this.#g.op.Concat(parts, { axis: 0 }));
  }

  /**
   * `x @ W^T`, x [..., in], W the matrices `names` (each [out, in]) joined: [..., sum of outs]. The product transposes
   * while ONNX Runtime packs W; a Transpose node would keep a second copy of every weight until the session is open.
   */
  multiply(x: Value, names: readonly string[]): Value {
    return this.#g.op.FusedMatMul(x, this.joined(names), { transA: 0, transB: 1 });
  }

  #widen(value: Value): Value {
    return value.dtype === 'float32' ? value : this.#g.op.Cast(value, { to: 'float32' });
  }
}
