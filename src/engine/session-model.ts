import type { EngineSpec } from '../artifact/engine-spec.ts';
import { openSession, type Provider, type Session } from '../runtime/index.ts';
import { KvCache } from './kv-cache.ts';
import { KvPool } from './kv-pool.ts';
import type { KvSnapshot, ModelRunner, ModelSequence, SharedRun, StepMode, TargetStep } from './model.ts';
import type { Profiler } from './profiler.ts';
import { Stepper } from './stepper.ts';

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
  readonly #caches: WeakMap<ModelSequence, KvCache> = new WeakMap();

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

  openSequence(tokens?: number): ModelSequence {
    const cache = new KvCache(this.#pool, tokens);
    const sequence = new SessionSequence(cache, this.#stepper);
    this.#caches.set(sequence, cache);
    return sequence;
  }

  forwardTogether(steps: readonly TargetStep[]): SharedRun {
    const places = steps.map((step) => this.#cacheOf(step).place);
    const together = listTogether(steps, places);
    const entries = together.map((i) => ({ ...steps[i]!, cache: this.#cacheOf(steps[i]!) }));
    const run = this.#stepper.run(entries, 'target');
    const logits = steps.map((): Float32Array | undefined => undefined);
    for (const [i, step] of together.entries()) logits[step] = run.logits[i]!;
    return { logits, tokens: run.tokens };
  }

  async dispose(): Promise<void> {
    this.#pool.dispose();
    this.#session.dispose();
  }

  #cacheOf({ sequence }: TargetStep): KvCache {
    const cache = this.#caches.get(sequence);
    if (cache === undefined) throw new TypeError('the sequence is of another model');
    return cache;
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
    return this.#stepper.run([{ cache: this.#cache, ids, outputRows }], mode).logits[0]!;
  }

  trim(toLength: number): void {
    this.#cache.trim(toLength);
  }

  get bytes(): number {
    return this.#cache.bytes;
  }

  snapshot(): KvSnapshot {
    return this.#cache.snapshot();
  }

  restore(snapshot: KvSnapshot, length: number): void {
    this.#cache.restore(snapshot, length);
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

/**
 * Which steps share a run with the first one, as indices: those of its arena and of about its width. A run takes all rows
 * between the first and the last, so where most of them would be computed for nothing the step runs alone, as a prompt does.
 */
function listTogether(steps: readonly TargetStep[], places: readonly KvCache['place'][]): number[] {
  if (widthClass(steps[0]!) === undefined) return [0];
  const fitting = steps
    .map((_, i) => i)
    .filter((i) => places[i]!.arena === places[0]!.arena && widthClass(steps[i]!) === widthClass(steps[0]!));
  const rows = fitting.map((i) => places[i]!.index);
  const span = Math.max(...rows) + 1 - Math.min(...rows);
  return 2 * fitting.length < span ? [0] : fitting;
}

/** Widths of one class differ by less than twice, so padding never doubles the work; undefined: a part of a prompt. */
function widthClass({ ids, outputRows }: TargetStep): number | undefined {
  return ids.length > outputRows ? undefined : Math.ceil(Math.log2(ids.length));
}
