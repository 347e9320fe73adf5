import type { EngineSpec } from '../artifact/engine-spec.ts';
import { boolTensor, floatTensor, intTensor, type Session, type TensorLike } from '../runtime/index.ts';
import { DraftVocabulary } from './draft-vocabulary.ts';
import type { KvCache, NewRows } from './kv-cache.ts';
import type { StepMode } from './model.ts';
import type { Profiler } from './profiler.ts';

/** Added to the score of a key that a query must not see; its weight underflows to exactly 0. */
const MASKED = -1e9;

/** New tokens of one sequence, at the end of its cache. */
export interface Entry {
  readonly cache: KvCache;
  readonly ids: readonly number[];
  /** Logits are wanted after the last so many. */
  readonly outputRows: number;
}

/** A run: entries by row of the arena. Rows in between that have none are computed for nothing. */
interface Batch {
  readonly entries: readonly Entry[];
  /** Of the arena: `firstRow` and the `size` - 1 after it. */
  readonly firstRow: number;
  /** B */
  readonly size: number;
  /** S: the most new tokens of an entry; the others are padded. */
  readonly width: number;
  /** P */
  readonly capacity: number;
  readonly mode: StepMode;
}

/** Runs steps of a session. Its small input arrays are made once per shape and filled anew. */
export class Stepper {
  readonly #session: Session;
  readonly #spec: EngineSpec;
  readonly #profiler: Profiler;
  readonly #fetches: readonly string[];
  readonly #allSlots: readonly number[];
  /** Undefined: a draft may propose any token. */
  readonly #draftVocabulary: DraftVocabulary | undefined;
  readonly #inputs: Map<number, StepInputs> = new Map();
  #bias = new Float32Array(0);

  constructor(session: Session, spec: EngineSpec, profiler: Profiler) {
    this.#session = session;
    this.#spec = spec;
    this.#profiler = profiler;
    this.#fetches = [spec.outputs.logits, spec.outputs.newKeyValues];
    this.#allSlots = spec.inputs.pastKeys.map((_, slot) => slot);
    this.#draftVocabulary = spec.draftVocabulary && new DraftVocabulary(spec.draftVocabulary, spec.vocabSize);
  }

  /**
   * Runs entries of one arena together. The logits of each, [outputRows, V], are valid until the next run; `tokens` were
   * computed, padding included. Where it throws, every cache is as long as before.
   */
  run(
    entries: readonly Entry[],
    mode: StepMode,
  ): { readonly logits: Float32Array[]; readonly tokens: number } {
    const started = performance.now();
    const batch = batchOf(entries, mode);
    const feeds = this.#feeds(batch);
    const fed = performance.now();
    const outputs = this.#session.run(feeds, this.#fetches);
    const ran = performance.now();
    const data = floats(outputs, this.#spec.outputs.newKeyValues);
    const slots = mode === 'draft' ? this.#spec.draftSlots : this.#allSlots;
    const { firstRow, width, size } = batch;
    appendAll(entries, { data, width, slots }, firstRow);
    this.#profiler.addRun(mode, size * width, ran - fed);
    this.#profiler.addFeeds(fed - started + performance.now() - ran);
    const rows = floats(outputs, this.#spec.outputs.logits);
    const reduced = mode === 'draft' ? this.#draftVocabulary : undefined;
    const logits = this.#logitsOf(entries, reduced === undefined ? rows : reduced.spread(rows));
    return { logits, tokens: size * width };
  }

  /** Each entry's part of [sum of outputRows, V]. */
  #logitsOf(entries: readonly Entry[], logits: Float32Array): Float32Array[] {
    let end = 0;
    return entries.map(({ outputRows }) => {
      const start = end;
      end += outputRows * this.#spec.vocabSize;
      return logits.subarray(start, end);
    });
  }

  #feeds(batch: Batch): Feeds {
    const { inputs, numKvHeads, headDim } = this.#spec;
    const { entries, firstRow, size, width, capacity, mode } = batch;
    const { ids, positions, rows } = this.#fill(batch);
    const feeds: Feeds = {
      [inputs.inputIds]: intTensor(ids, [size, width]),
      [inputs.positionIds]: intTensor(positions, [size, width]),
      [inputs.outputRows]: intTensor(rows, [rows.length]),
      [inputs.attentionBias]: this.#biasOf(batch),
    };
    if (inputs.isDraft !== null) {
      feeds[inputs.isDraft] = boolTensor(mode === 'draft');
    }
    const { keys, values } = entries[0]!.cache.place.arena.tensors(firstRow, firstRow + size);
    const dims = [size, numKvHeads, capacity, headDim];
    for (let slot = 0; slot < inputs.pastKeys.length; slot++) {
      feeds[inputs.pastKeys[slot]!] = floatTensor(keys[slot]!, dims);
      feeds[inputs.pastValues[slot]!] = floatTensor(values[slot]!, dims);
    }
    return feeds;
  }

  /** Ids and positions [B, S], padded with zeros, and the rows of B * S whose logits are wanted. */
  #fill({ entries, firstRow, size, width }: Batch): StepInputs {
    const { ids, positions, rows } = this.#inputsOf(size * width);
    if (entries.length < size || entries.some((entry) => entry.ids.length < width)) {
      ids.fill(0);
      positions.fill(0);
    }
    let wanted = 0;
    for (const entry of entries) {
      const { length, place } = entry.cache;
      const start = (place.index - firstRow) * width;
      for (let i = 0; i < entry.ids.length; i++) {
        ids[start + i] = entry.ids[i]!;
        positions[start + i] = length + i;
      }
      for (let i = entry.ids.length - entry.outputRows; i < entry.ids.length; i++) rows[wanted++] = start + i;
    }
    return { ids, positions, rows: rows.subarray(0, wanted) };
  }

  #inputsOf(tokens: number): StepInputs {
    const known = this.#inputs.get(tokens);
    if (known !== undefined) return known;
    const array = () => new Int32Array(tokens);
    const made = { ids: array(), positions: array(), rows: array() };
    this.#inputs.set(tokens, made);
    return made;
  }

  /** [B, S, P + S]: a query sees the valid past of its sequence and, of the new rows, itself and those before it. */
  #biasOf({ entries, firstRow, size, width, capacity }: Batch): TensorLike {
    const total = capacity + width;
    const count = size * width * total;
    if (this.#bias.length < count) this.#bias = new Float32Array(count);
    if (entries.length < size) this.#bias.fill(0, 0, count);
    for (const { cache } of entries) {
      const first = (cache.place.index - firstRow) * width;
      for (let row = 0; row < width; row++) {
        const start = (first + row) * total;
        const firstNew = start + capacity;
        this.#bias.fill(0, start, start + cache.length);
        this.#bias.fill(MASKED, start + cache.length, firstNew);
        this.#bias.fill(0, firstNew, firstNew + row + 1);
        this.#bias.fill(MASKED, firstNew + row + 1, start + total);
      }
    }
    return floatTensor(this.#bias.subarray(0, count), [size, width, total]);
  }
}

type Feeds = Record<string, TensorLike>;

/** Inputs of a step. */
interface StepInputs {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly rows: Int32Array;
}

function appendAll(entries: readonly Entry[], rows: NewRows, firstRow: number): void {
  // Growing moves rows about: where each was in the run comes first.
  const places = entries.map(({ cache }) => ({ index: cache.place.index - firstRow, length: cache.length }));
  try {
    for (const [i, { cache, ids }] of entries.entries()) cache.append(rows, places[i]!.index, ids.length);
  } catch (error) {
    for (const [i, { cache }] of entries.entries()) cache.trim(places[i]!.length);
    throw error;
  }
}

function batchOf(entries: readonly Entry[], mode: StepMode): Batch {
  const indices = entries.map(({ cache }) => cache.place.index);
  const firstRow = Math.min(...indices);
  return {
    entries,
    firstRow,
    size: Math.max(...indices) + 1 - firstRow,
    width: Math.max(...entries.map(({ ids }) => ids.length)),
    capacity: entries[0]!.cache.place.arena.capacity,
    mode,
  };
}

function floats(outputs: Readonly<Record<string, TensorLike>>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new TypeError(`the session gave no float32 output named ${name}`);
}
