import type { TokenVocabulary } from './types.ts';

/**
 * All tokens of a vocabulary by their bytes. Nodes are in preorder, as in llguidance: a walk is a loop over arrays, and
 * a byte that does not fit skips to the end of its subtree.
 */
export interface TokenTrie {
  readonly vocabSize: number;
  /** Byte that leads to each node; the root is left out. */
  readonly bytes: Uint8Array;
  /** Bytes from the root to each node, at least 1. */
  readonly depths: Uint16Array;
  /** Index after the last node of each node's subtree. */
  readonly ends: Int32Array;
  /** Tokens that end at node i: `tokens[starts[i]..starts[i + 1]]`. */
  readonly tokens: Int32Array;
  readonly starts: Int32Array;
  readonly maxDepth: number;
}

export function buildTokenTrie(vocabulary: TokenVocabulary): TokenTrie {
  const tokens = sortedIds(vocabulary);
  const [bytes, depths]: [number[], number[]] = [[], []];
  /** Node at which each token ends; ascending, since a word that is not new is equal to the one before it. */
  const endNodes: number[] = [];
  let previous = new Uint8Array();
  for (const id of tokens) {
    const word = wordOf(vocabulary, id);
    for (let depth = commonLength(previous, word); depth < word.length; depth++) {
      bytes.push(word[depth]!);
      depths.push(depth + 1);
    }
    endNodes.push(bytes.length - 1);
    previous = word;
  }
  return {
    vocabSize: vocabulary.offsets.length - 1,
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    ends: subtreeEnds(depths),
    tokens,
    starts: countUpTo(endNodes, bytes.length),
    maxDepth: depths.reduce((most, depth) => Math.max(most, depth), 0),
  };
}

/** Least number of tokens that spell `word` from each of its positions on; a byte that no token has counts as one. */
export function suffixTokens(trie: TokenTrie, word: Uint8Array): Uint32Array {
  const least = new Uint32Array(word.length + 1);
  for (let start = word.length - 1; start >= 0; start--) {
    least[start] = least[start + 1]! + 1;
    eachPrefix(trie, word, start, (end) => {
      least[start] = Math.min(least[start]!, least[end]! + 1);
    });
  }
  return least;
}

/** Calls `found` with the end of every token that `word` has at `start`. */
function eachPrefix(trie: TokenTrie, word: Uint8Array, start: number, found: (end: number) => void): void {
  let depth = 1;
  for (let i = 0; i < trie.bytes.length; ) {
    if (trie.depths[i]! < depth) return;
    if (trie.bytes[i] !== word[start + depth - 1]) i = trie.ends[i]!;
    else {
      if (trie.starts[i]! < trie.starts[i + 1]!) found(start + depth);
      depth++;
      i++;
    }
  }
}

function wordOf({ bytes, offsets }: TokenVocabulary, id: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(offsets[id]!, offsets[id + 1]!));
}

/** Ids of tokens that have bytes, in the order of their bytes. */
function sortedIds({ bytes, offsets }: TokenVocabulary): Int32Array {
  const ids = Array.from({ length: offsets.length - 1 }, (_, id) => id).filter(
    (id) => offsets[id]! < offsets[id + 1]!,
  );
  const compare = (a: number, b: number): number => {
    const [startA, startB] = [offsets[a]!, offsets[b]!];
    const [lengthA, lengthB] = [offsets[a + 1]! - startA, offsets[b + 1]! - startB];
    for (let i = 0; i < Math.min(lengthA, lengthB); i++) {
      const difference = bytes[startA + i]! - bytes[startB + i]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB || a - b;
  };
  return Int32Array.from(ids.sort(compare));
}

function commonLength(left: Uint8Array, right: Uint8Array): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length++;
  return length;
}

function subtreeEnds(depths: readonly number[]): Int32Array {
  const ends = new Int32Array(depths.length).fill(depths.length);
  const open: number[] = [];
  for (const [index, depth] of depths.entries()) {
    while (open.length > 0 && depths[open.at(-1)!]! >= depth) ends[open.pop()!] = index;
    open.push(index);
  }
  return ends;
}

/** Entry i: how many of the ascending `values` are under i. */
function countUpTo(values: readonly number[], length: number): Int32Array {
  const counts = new Int32Array(length + 1);
  let count = 0;
  for (let i = 0; i <= length; i++) {
    while (count < values.length && values[count]! < i) count++;
    counts[i] = count;
  }
  return counts;
}
