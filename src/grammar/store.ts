import { SdfpError } from '../lib/errors.ts';
import { TokenConstraint } from './constraint.ts';
import { compileGrammar } from './grammar.ts';
import { TokenMasks } from './token-masks.ts';
import { buildTokenTrie, type TokenTrie } from './token-trie.ts';
import type { GrammarSpec, TokenVocabulary } from './types.ts';

/** Grammars kept for later requests: agents send the same few again and again. */
const MAX_GRAMMARS = 16;

/** The grammars of one engine: compiled once, least recently used ones forgotten. */
export class GrammarStore {
  readonly #grammars: Map<string, TokenMasks> = new Map();
  #vocabulary: TokenVocabulary | undefined;
  #trie: TokenTrie | undefined;

  /** Without a vocabulary there are no grammars. */
  setVocabulary(vocabulary: TokenVocabulary): void {
    this.#vocabulary = vocabulary;
    this.#trie = undefined;
    this.#grammars.clear();
  }

  /** A constraint for one sequence. Errors: `invalid_request`, as `compileGrammar`. */
  open(spec: GrammarSpec, endIds: readonly number[], limit: number): TokenConstraint {
    const vocabulary = this.#vocabulary;
    if (vocabulary === undefined)
      throw unusable('the engine was given no vocabulary', 'setVocabulary() first');
    if (endIds.length === 0) throw unusable('the request has no stop token', 'one that ends the text');
    return new TokenConstraint(this.#masksOf(spec, vocabulary), vocabulary, endIds, limit);
  }

  #masksOf(spec: GrammarSpec, vocabulary: TokenVocabulary): TokenMasks {
    const key = JSON.stringify(spec);
    this.#trie ??= buildTokenTrie(vocabulary);
    const masks = this.#grammars.get(key) ?? new TokenMasks(compileGrammar(spec), this.#trie);
    // Set again at the end of the map: the first key is then the least recently used.
    this.#grammars.delete(key);
    this.#grammars.set(key, masks);
    if (this.#grammars.size > MAX_GRAMMARS) this.#grammars.delete(this.#grammars.keys().next().value!);
    return masks;
  }
}

function unusable(found: string, needed: string): SdfpError {
  return new SdfpError('invalid_request', `Following a grammar: ${found}, needs ${needed}.`);
}
