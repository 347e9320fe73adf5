import type { EngineSpec } from '../../src/artifact/engine-spec.ts';
import { buildServingGraph } from '../../src/graph/serving.ts';
import type { ModelFolder } from '../../src/hf/types.ts';
import type { DraftPlan, Unit } from '../../src/plan/types.ts';
import {
  boolTensor,
  floatTensor,
  intTensor,
  openSession,
  type Session,
  type TensorLike,
} from '../../src/runtime/index.ts';
import { causalBias, splitRows } from './run-graph.ts';

/** What one run of the serving graph gave. */
export interface StepResult {
  readonly logits: readonly Float32Array[];
  /** New rows of each written tensor, [KV, S, D]: k, v of the first written slot, then of the next, ... */
  readonly rows: readonly Float32Array[];
}

/** A serving graph and a plain, slow KV cache of one sequence around it: the engine's part, as simply as possible. */
export class ServingRunner {
  readonly spec: EngineSpec;
  readonly #session: Session;
  /** Per slot: k and v, [KV, length, D]. */
  #cache: Float32Array[][];
  length = 0;

  private constructor(spec: EngineSpec, session: Session) {
    this.spec = spec;
    this.#session = session;
    this.#cache = spec.inputs.pastKeys.map(() => [new Float32Array(0), new Float32Array(0)]);
  }

  static open(folder: ModelFolder, dropped: readonly Unit[] = []): Promise<ServingRunner> {
    return ServingRunner.openPlan(folder, { dropped }, folder.dir);
  }

  static async openPlan(folder: ModelFolder, plan: DraftPlan, weightsDir: string): Promise<ServingRunner> {
    const { bytes, spec } = buildServingGraph(folder, plan);
    return new ServingRunner(spec, await openSession({ graph: bytes, weightsDir, threads: 1 }));
  }

  /** Runs `ids` behind the cached rows with `padding` unused rows between; changes nothing. */
  run(
    ids: readonly number[],
    { draft = false, padding = 0 }: { draft?: boolean; padding?: number } = {},
  ): StepResult {
    const { inputs, outputs } = this.spec;
    const results = this.#session.run(this.#feeds(ids, draft, padding), [
      outputs.logits,
      outputs.newKeyValues,
    ]);
    const rows = this.#splitSlots(results[outputs.newKeyValues]!, ids.length);
    if (draft && rows.length !== 2 * this.spec.draftSlots.length)
      throw new Error(`draft wrote ${rows.length} tensors`);
    if (!draft && rows.length !== 2 * inputs.pastKeys.length)
      throw new Error(`target wrote ${rows.length} tensors`);
    return { logits: splitRows(floats(results[outputs.logits]!), ids.length), rows };
  }

  /** Runs the target on `ids` and keeps their rows. */
  step(ids: readonly number[]): readonly Float32Array[] {
    const { logits, rows } = this.run(ids);
    this.#cache = this.#cache.map((pair, slot) =>
      pair.map((past, i) => this.#append(past, rows[2 * slot + i]!)),
    );
    this.length += ids.length;
    return logits;
  }

  dispose(): void {
    this.#session.dispose();
  }

  #feeds(ids: readonly number[], draft: boolean, padding: number): Record<string, TensorLike> {
    const { inputs, numKvHeads, headDim } = this.spec;
    const [rows, past] = [ids.length, this.length + padding];
    const feeds: Record<string, TensorLike> = {
      [inputs.inputIds]: intTensor(Int32Array.from(ids), [1, rows]),
      [inputs.positionIds]: intTensor(
        Int32Array.from(ids, (_, i) => this.length + i),
        [1, rows],
      ),
      [inputs.attentionBias]: floatTensor(causalBias(rows, past, padding), [1, rows, past + rows]),
      [inputs.outputRows]: intTensor(Int32Array.from(ids.keys()), [rows]),
      ...(inputs.isDraft === null ? {} : { [inputs.isDraft]: boolTensor(draft) }),
    };
    this.#cache.forEach((pair, slot) => {
      for (const [i, name] of [inputs.pastKeys[slot]!, inputs.pastValues[slot]!].entries()) {
        // Padding holds large garbage: only the bias may keep it out of the result.
        const garbage = new Float32Array(numKvHeads * padding * headDim).fill(3);
        feeds[name] = floatTensor(this.#append(pair[i]!, garbage), [1, numKvHeads, past, headDim]);
      }
    });
    return feeds;
  }

  /** Joins [KV, a, D] and [KV, b, D] along the middle axis. */
  #append(first: Float32Array, second: Float32Array): Float32Array {
    const heads = this.spec.numKvHeads;
    const [a, b] = [splitRows(first, heads), splitRows(second, heads)];
    return Float32Array.from(a.flatMap((head, i) => [...head, ...b[i]!]));
  }

  /** [1, KV, N*S, D] to N arrays [KV, S, D]. */
  #splitSlots(joined: TensorLike, rows: number): Float32Array[] {
    const { numKvHeads, headDim } = this.spec;
    const heads = splitRows(floats(joined), numKvHeads);
    const size = rows * headDim;
    return Array.from({ length: joined.dims[2]! / rows }, (_, n) =>
      Float32Array.from(heads.flatMap((head) => [...head.subarray(n * size, (n + 1) * size)])),
    );
  }
}

function floats({ data }: TensorLike): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new TypeError('expected a float32 output');
}
