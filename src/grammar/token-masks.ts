import { Automaton, DEAD } from './automaton.ts';
import type { CompiledGrammar } from './grammar.ts';
import { suffixTokens, type TokenTrie } from './token-trie.ts';

/** Which tokens may come next in one state of a grammar. */
export interface TokenMask {
  /** Bit `id % 32` of word `id / 32`; [V / 32]. */
  readonly words: Uint32Array;
  /** Whether the text may end here. */
  readonly canEnd: boolean;
  /** Most tokens that may be needed to complete the text after one of these. */
  readonly highestCost: number;
}

/** Masks are kept for so many states per grammar: one of 150,000 tokens has 19 kB. */
const MAX_MASKS = 1024;

/** Masks of one grammar over one vocabulary, each made when first needed. */
export class TokenMasks {
  readonly automaton: Automaton;
  readonly #trie: TokenTrie;
  readonly #masks: Map<number, TokenMask> = new Map();
  readonly #stack: Int32Array;

  constructor({ root, nodes }: CompiledGrammar, trie: TokenTrie) {
    this.automaton = new Automaton(root, nodes, (bytes) => suffixTokens(trie, bytes));
    this.#trie = trie;
    this.#stack = new Int32Array(trie.maxDepth + 1);
  }

  /** Tokens that may follow in `state`. */
  at(state: number): TokenMask {
    let mask = this.#masks.get(state);
    if (mask === undefined) {
      mask = this.#make(state, Number.POSITIVE_INFINITY);
      if (this.#masks.size >= MAX_MASKS) this.#masks.delete(this.#masks.keys().next().value!);
      this.#masks.set(state, mask);
    }
    return mask;
  }

  /**
   * The same with `room` tokens left, the end token included: only tokens after which the text can still be completed,
   * or, where there are none, those that come closest.
   */
  within(state: number, room: number): TokenMask {
    const mask = this.at(state);
    if (mask.highestCost + 2 <= room) return mask;
    const fitting = this.#make(state, room - 2);
    if (fitting.canEnd || fitting.words.some((word) => word !== 0)) return fitting;
    return this.#make(state, this.#lowestCost(state));
  }

  /** `limit`: highest cost that a token may leave. */
  #make(state: number, limit: number): TokenMask {
    const words = new Uint32Array(Math.ceil(this.#trie.vocabSize / 32));
    const { tokens, starts } = this.#trie;
    let highestCost = 0;
    this.#walk(state, (node, cost) => {
      if (cost > limit) return;
      if (cost > highestCost) highestCost = cost;
      for (let i = starts[node]!; i < starts[node + 1]!; i++) {
        const id = tokens[i]!;
        words[id >> 5]! |= 1 << (id & 31);
      }
    });
    return { words, canEnd: this.automaton.state(state).isAccepting, highestCost };
  }

  #lowestCost(state: number): number {
    let lowest = Number.POSITIVE_INFINITY;
    this.#walk(state, (_, cost) => {
      lowest = Math.min(lowest, cost);
    });
    return lowest;
  }

  /** Calls `found` for every node of a token that may follow, with the cost of the state after it. */
  #walk(state: number, found: (node: number, cost: number) => void): void {
    const { bytes, depths, ends, starts } = this.#trie;
    const [automaton, stack] = [this.automaton, this.#stack];
    stack[0] = state;
    for (let node = 0; node < bytes.length; ) {
      const depth = depths[node]!;
      const next = automaton.step(stack[depth - 1]!, bytes[node]!);
      if (next === DEAD) {
        node = ends[node]!;
        continue;
      }
      stack[depth] = next;
      if (starts[node]! < starts[node + 1]!) found(node, automaton.state(next).cost);
      node++;
    }
  }
}
