import type { EngineSpec } from '../artifact/engine-spec.ts';
import {
  boolTensor,
  floatTensor,
  intTensor,
  openSession,
  type Provider,
  type Session,
  type TensorLike,
} from '../runtime/index.ts';
import { KvCache } from './kv-cache.ts';
import { KvPool } from './kv-pool.ts';
import type { ModelRunner, ModelSequence, StepMode } from './model.ts';
import type { Profiler } from './profiler.ts';

/** Added to the score of a key that a query must not see; its weight underflows to exactly 0. */
const MASKED = -1e9;

/** What {@linkcode openSessionModel} needs. */
export interface SessionModelOptions {
  readonly graph: Uint8Array;
  /** Folder of the weight files that the graph points into. */
  readonly weightsDir: string;
  readonly weightFiles?: readonly string[] | undefined;
  readonly spec: EngineSpec;
  readonly provider?: Provider | undefined;
  readonly threads?: number | undefined;
}

/** Loads an artifact's graph into a session of the runtime. */
export async function openSessionModel(
  options: SessionModelOptions,
  profiler: Profiler,
): Promise<ModelRunner> {
  const { graph, weightsDir, weightFiles, provider, threads } = options;
  const session = await openSession({
    graph,
    weightsDir,
    ...(weightFiles === undefined ? {} : { weightFiles }),
    ...(provider === undefined ? {} : { provider }),
    ...(threads === undefined ? {} : { threads }),
  });
  return new SessionModel(session, options.spec, profiler);
}

class SessionModel implements ModelRunner {
  readonly provider: string;
  readonly vocabSize: number;
  readonly maxContextTokens: number;
  readonly hasDraft: boolean;
  readonly #session: Session;
  readonly #stepper: Stepper;
  readonly #pool: KvPool;

  constructor(session: Session, spec: EngineSpec, profiler: Profiler) {
    this.provider = session.provider;
    this.vocabSize = spec.vocabSize;
    this.maxContextTokens = spec.maxContextTokens;
    this.hasDraft = spec.inputs.isDraft !== null;
    this.#session = session;
    this.#stepper = new Stepper(session, spec, profiler);
    this.#pool = new KvPool({
      numSlots: spec.inputs.pastKeys.length,
      numKvHeads: spec.numKvHeads,
      headDim: spec.headDim,
    });
  }

  openSequence(): ModelSequence {
    return new SessionSequence(new KvCache(this.#pool), this.#stepper);
  }

  async dispose(): Promise<void> {
    this.#pool.dispose();
    this.#session.dispose();
  }
}

class SessionSequence implements ModelSequence {
  readonly #cache: KvCache;
  readonly #stepper: Stepper;

  constructor(cache: KvCache, stepper: Stepper) {
    this.#cache = cache;
    this.#stepper = stepper;
  }

  get length(): number {
    return this.#cache.length;
  }

  forward(ids: readonly number[], outputRows: number, mode: StepMode): Float32Array {
    return this.#stepper.step(this.#cache, ids, outputRows, mode);
  }

  trim(toLength: number): void {
    this.#cache.trim(toLength);
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

/** Runs steps of a session. Its small input arrays are made once per width and filled anew. */
class Stepper {
  readonly #session: Session;
  readonly #spec: EngineSpec;
  readonly #profiler: Profiler;
  readonly #fetches: readonly string[];
  readonly #allSlots: readonly number[];
  readonly #inputs: Map<number, StepInputs> = new Map();
  #bias = new Float32Array(0);

  constructor(session: Session, spec: EngineSpec, profiler: Profiler) {
    this.#session = session;
    this.#spec = spec;
    this.#profiler = profiler;
    this.#fetches = [spec.outputs.logits, spec.outputs.newKeyValues];
    this.#allSlots = spec.inputs.pastKeys.map((_, slot) => slot);
  }

  step(cache: KvCache, ids: readonly number[], outputRows: number, mode: StepMode): Float32Array {
    const started = performance.now();
    const feeds = this.#feeds(cache, ids, outputRows, mode);
    const fed = performance.now();
    const outputs = this.#session.run(feeds, this.#fetches);
    const ran = performance.now();
    const slots = mode === 'draft' ? this.#spec.draftSlots : this.#allSlots;
    cache.append(floats(outputs, this.#spec.outputs.newKeyValues), ids.length, slots);
    this.#profiler.addRun(mode, ids.length, ran - fed);
    this.#profiler.addFeeds(fed - started + performance.now() - ran);
    return floats(outputs, this.#spec.outputs.logits);
  }

  #feeds(cache: KvCache, ids: readonly number[], outputRows: number, mode: StepMode): Feeds {
    const { inputs, numKvHeads, headDim } = this.#spec;
    const { ids: idData, positions, rows } = this.#inputsOf(ids.length);
    for (let i = 0; i < ids.length; i++) {
      idData[i] = ids[i]!;
      positions[i] = cache.length + i;
      rows[i] = ids.length - outputRows + i;
    }
    const feeds: Feeds = {
      [inputs.inputIds]: intTensor(idData, [1, ids.length]),
      [inputs.positionIds]: intTensor(positions, [1, ids.length]),
      [inputs.outputRows]: intTensor(rows.subarray(0, outputRows), [outputRows]),
      [inputs.attentionBias]: this.#biasOf(cache, ids.length),
    };
    if (inputs.isDraft !== null) {
      feeds[inputs.isDraft] = boolTensor(mode === 'draft');
    }
    const dims = [1, numKvHeads, cache.capacity, headDim];
    for (let slot = 0; slot < inputs.pastKeys.length; slot++) {
      feeds[inputs.pastKeys[slot]!] = floatTensor(cache.keys[slot]!, dims);
      feeds[inputs.pastValues[slot]!] = floatTensor(cache.values[slot]!, dims);
    }
    return feeds;
  }

  #inputsOf(width: number): StepInputs {
    const known = this.#inputs.get(width);
    if (known !== undefined) return known;
    const array = () => new Int32Array(width);
    const made = { ids: array(), positions: array(), rows: array() };
    this.#inputs.set(width, made);
    return made;
  }

  /** [1, S, P + S]: a query sees the valid past and, of the new rows, itself and those before it. */
  #biasOf(cache: KvCache, width: number): TensorLike {
    const total = cache.capacity + width;
    if (this.#bias.length < width * total) this.#bias = new Float32Array(width * total);
    for (let row = 0; row < width; row++) {
      const start = row * total;
      const firstNew = start + cache.capacity;
      this.#bias.fill(0, start, start + cache.length);
      this.#bias.fill(MASKED, start + cache.length, firstNew);
      this.#bias.fill(0, firstNew, firstNew + row + 1);
      this.#bias.fill(MASKED, firstNew + row + 1, start + total);
    }
    return floatTensor(this.#bias.subarray(0, width * total), [1, width, total]);
  }
}

type Feeds = Record<string, TensorLike>;

/** Inputs of a step of one width: [S] each. */
interface StepInputs {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly rows: Int32Array;
}

function floats(outputs: Readonly<Record<string, TensorLike>>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new TypeError(`the session gave no float32 output named ${name}`);
}
