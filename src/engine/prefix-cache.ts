import type { KvSnapshot, ModelSequence } from './model.ts';

/** A prefix shorter than this is run again: little is saved, and most prompts begin with the same few tokens. */
const FEWEST_TOKENS = 16;

interface Entry {
  readonly ids: readonly number[];
  readonly snapshot: KvSnapshot;
  readonly bytes: number;
}

/**
 * K and V of ended sequences, for prompts that begin like them: a conversation so far, a common system prompt. Holds at
 * most `maxBytes`; what was not used for longest goes first.
 */
export class PrefixCache {
  readonly #maxBytes: number;
  /** Used last at the end. */
  readonly #entries: Entry[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the longest known prefix of `promptIds` into an empty sequence; at least the last token stays to be run. */
  reuse(promptIds: readonly number[], sequence: ModelSequence): void {
    let best: { entry: Entry; length: number } | undefined;
    for (const entry of this.#entries) {
      const length = Math.min(commonLength(entry.ids, promptIds), promptIds.length - 1);
      if (length >= FEWEST_TOKENS && length > (best?.length ?? 0)) best = { entry, length };
    }
    if (best === undefined) return;
    sequence.restore(best.entry.snapshot, best.length);
    this.#take(best.entry);
    this.#entries.push(best.entry);
    this.#bytes += best.entry.bytes;
  }

  /** Keeps the positions of a sequence that is about to end. `ids`: the tokens in them. */
  keep(ids: readonly number[], sequence: ModelSequence): void {
    const bytes = sequence.bytes;
    if (ids.length < FEWEST_TOKENS || bytes > this.#maxBytes) return;
    for (const entry of [...this.#entries]) {
      const common = commonLength(entry.ids, ids);
      if (common === ids.length) return; // known already
      if (common === entry.ids.length) this.#take(entry); // the new one has all of it
    }
    while (this.#bytes + bytes > this.#maxBytes) this.#take(this.#entries[0]!);
    this.#entries.push({ ids, snapshot: sequence.snapshot(), bytes });
    this.#bytes += bytes;
  }

  #take(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#bytes -= entry.bytes;
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const longest = Math.min(a.length, b.length);
  let length = 0;
  while (length < longest && a[length] === b[length]) length++;
  return length;
}
