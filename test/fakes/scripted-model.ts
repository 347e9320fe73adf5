import type {
  KvSnapshot,
  ModelRunner,
  ModelSequence,
  SharedRun,
  StepMode,
  TargetStep,
} from '../../src/engine/model.ts';
import { noiseBits, noiseKey } from '../../src/lib/random.ts';

/** How a scripted model behaves. */
export interface ScriptedModelOptions {
  readonly vocabSize?: number;
  readonly maxContextTokens?: number;
  readonly hasDraft?: boolean;
  /** Whether the draft has the target's logits for the token at `position`; default: always. */
  readonly agrees?: (position: number) => boolean;
  /** Tokens that the draft has logits for; default: all. */
  readonly draftVocabulary?: readonly number[];
  /** How far the logits spread; 0: all equal. */
  readonly spread?: number;
  /** Called before each step. */
  readonly onStep?: (mode: StepMode, width: number) => void;
}

/** What a cache position holds: the token, and whether a target step wrote it. */
interface Slot {
  readonly id: number;
  readonly isVerified: boolean;
}

/**
 * A language model without weights: the logits are a hash of the last three tokens, so any token in a wrong place
 * changes what follows. It checks how it is used: a target step must never read a position that only a draft wrote.
 */
export class ScriptedModel implements ModelRunner {
  readonly provider = 'scripted';
  readonly vocabSize: number;
  readonly maxContextTokens: number;
  readonly hasDraft: boolean;
  readonly #options: ScriptedModelOptions;
  openSequences = 0;
  openedSequences = 0;
  isDisposed = false;
  /** What a snapshot fails with. */
  snapshotError: Error | undefined;
  /** How many steps shared each run of rounds. */
  readonly batches: number[] = [];
  readonly steps: { mode: StepMode; width: number; rows: number }[] = [];

  constructor(options: ScriptedModelOptions = {}) {
    this.vocabSize = options.vocabSize ?? 32;
    this.maxContextTokens = options.maxContextTokens ?? 512;
    this.hasDraft = options.hasDraft ?? true;
    this.#options = options;
  }

  openSequence(): ModelSequence {
    this.openSequences++;
    this.openedSequences++;
    return new ScriptedSequence(this);
  }

  /** Steps as wide as the first one run with it. */
  forwardTogether(steps: readonly TargetStep[]): SharedRun {
    const sequences = new Set(steps.map(({ sequence }) => sequence));
    if (sequences.size !== steps.length) throw new Error('a sequence has two steps in one run');
    this.batches.push(steps.filter(({ ids }) => ids.length === steps[0]!.ids.length).length);
    const width = steps[0]!.ids.length;
    const logits = steps.map(({ sequence, ids, outputRows }) =>
      ids.length === width ? sequence.forward(ids, outputRows, 'target') : undefined,
    );
    return { logits, tokens: width * logits.filter((row) => row !== undefined).length };
  }

  dispose(): Promise<void> {
    this.isDisposed = true;
    return Promise.resolve();
  }

  step(mode: StepMode, width: number, rows: number): void {
    this.steps.push({ mode, width, rows });
    this.#options.onStep?.(mode, width);
  }

  /** Logits of the token that follows `ids`; [V]. */
  logitsAfter(ids: readonly number[], mode: StepMode): Float32Array {
    const agrees = mode === 'target' || (this.#options.agrees?.(ids.length) ?? true);
    const context = ids.slice(-3).reduce((hash, id) => noiseBits(noiseKey(hash >>> 0, id), 7), 1);
    const key = noiseKey(context >>> 0, agrees ? 0 : 1);
    const spread = this.#options.spread ?? 4;
    const logits = Float32Array.from(
      { length: this.vocabSize },
      (_, id) => (noiseBits(key, id) / 2 ** 31) * spread,
    );
    const { draftVocabulary } = this.#options;
    if (mode === 'target' || draftVocabulary === undefined) return logits;
    return logits.map((logit, id) => (draftVocabulary.includes(id) ? logit : Number.NEGATIVE_INFINITY));
  }

  /** The greedy continuation, computed in the plainest way. */
  greedy(promptIds: readonly number[], count: number): number[] {
    const ids = [...promptIds];
    while (ids.length < promptIds.length + count) {
      const logits = this.logitsAfter(ids, 'target');
      ids.push(logits.indexOf(Math.max(...logits)));
    }
    return ids.slice(promptIds.length);
  }
}

class ScriptedSequence implements ModelSequence {
  readonly #model: ScriptedModel;
  readonly #slots: Slot[] = [];
  #isDisposed = false;

  constructor(model: ScriptedModel) {
    this.#model = model;
  }

  get length(): number {
    return this.#slots.length;
  }

  forward(ids: readonly number[], outputRows: number, mode: StepMode): Float32Array {
    if (this.#isDisposed) throw new Error('a step on a sequence that was disposed');
    if (ids.length === 0 || outputRows < 1 || outputRows > ids.length) throw new Error('bad step shape');
    if (mode === 'target' && this.#slots.some((slot) => !slot.isVerified)) {
      throw new Error('a target step reads a position that only the draft wrote');
    }
    this.#model.step(mode, ids.length, outputRows);
    for (const id of ids) this.#slots.push({ id, isVerified: mode === 'target' });
    const all = this.#slots.map((slot) => slot.id);
    const rows = Array.from({ length: outputRows }, (_, row) =>
      this.#model.logitsAfter(all.slice(0, all.length - outputRows + row + 1), mode),
    );
    const logits = new Float32Array(outputRows * this.#model.vocabSize);
    for (const [row, values] of rows.entries()) logits.set(values, row * this.#model.vocabSize);
    return logits;
  }

  trim(toLength: number): void {
    if (toLength > this.#slots.length) throw new Error('trim to more than there is');
    this.#slots.length = toLength;
  }

  get bytes(): number {
    return 4 * this.#slots.length;
  }

  snapshot(): KvSnapshot {
    if (this.#model.snapshotError) throw this.#model.snapshotError;
    if (this.#slots.some((slot) => !slot.isVerified))
      throw new Error('a snapshot of what only the draft wrote');
    const { length } = this.#slots;
    return { length, keys: [Float32Array.from(this.#slots, ({ id }) => id)], values: [] };
  }

  restore({ keys }: KvSnapshot, length: number): void {
    if (this.#slots.length > 0) throw new Error('a restore into a sequence that is not empty');
    for (const id of keys[0]!.subarray(0, length)) this.#slots.push({ id, isVerified: true });
  }

  dispose(): void {
    if (this.#isDisposed) throw new Error('disposed twice');
    this.#isDisposed = true;
    this.#model.openSequences--;
  }
}
