import type { KvSnapshot, ModelSequence } from './model.ts';

/** A prefix shorter than this is run again: little is saved, and most prompts begin with the same few tokens. */
const FEWEST_TOKENS = 16;

interface Kept {
  /** See `GenerateRequest.cacheOwner`. */
  readonly owner: string | undefined;
  readonly ids: readonly number[];
  readonly snapshot: KvSnapshot;
  readonly bytes: number;
}

/**
 * K and V of ended sequences, for prompts that begin like them: a conversation so far, a common system prompt. Holds at
 * most `maxBytes`; what was not used for longest goes first. An owner finds only what is its own: how much of a prompt is known
 * would tell others what it says, token by token.
 */
export class PrefixCache {
  readonly #maxBytes: number;
  /** Used last at the end. */
  readonly #kept: Kept[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the longest known prefix of `promptIds` into an empty sequence; at least the last token stays to be run. */
  reuse(owner: string | undefined, promptIds: readonly number[], sequence: ModelSequence): void {
    let best: { kept: Kept; length: number } | undefined;
    for (const kept of this.#ownedBy(owner)) {
      const length = Math.min(commonLength(kept.ids, promptIds), promptIds.length - 1);
      if (length >= FEWEST_TOKENS && length > (best?.length ?? 0)) best = { kept, length };
    }
    if (best === undefined) return;
    sequence.restore(best.kept.snapshot, best.length);
    this.#take(best.kept);
    this.#add(best.kept);
  }

  /** Keeps the positions of a sequence that is about to end. `ids`: the tokens in them. */
  keep(owner: string | undefined, ids: readonly number[], sequence: ModelSequence): void {
    const bytes = sequence.bytes;
    if (ids.length < FEWEST_TOKENS || bytes > this.#maxBytes) return;
    for (const kept of this.#ownedBy(owner)) {
      const common = commonLength(kept.ids, ids);
      if (common === ids.length) return; // known already
      if (common === kept.ids.length) this.#take(kept); // the new one has all of it
    }
    while (this.#bytes + bytes > this.#maxBytes) this.#take(this.#kept[0]!);
    this.#add({ owner, ids, snapshot: sequence.snapshot(), bytes });
  }

  #ownedBy(owner: string | undefined): Kept[] {
    return this.#kept.filter((kept) => kept.owner === owner);
  }

  #add(kept: Kept): void {
    this.#kept.push(kept);
    this.#bytes += kept.bytes;
  }

  #take(kept: Kept): void {
    this.#kept.splice(this.#kept.indexOf(kept), 1);
    this.#bytes -= kept.bytes;
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const longest = Math.min(a.length, b.length);
  let length = 0;
  while (length < longest && a[length] === b[length]) length++;
  return length;
}
