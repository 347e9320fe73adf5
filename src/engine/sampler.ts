import { SdfpError } from '../lib/errors.ts';
import { GUMBEL_CEILING, gumbel, gumbelBound, noiseBits, noiseKey } from '../lib/random.ts';
import { processLogits } from './logits-processors.ts';
import { TokenFilter } from './token-filter.ts';
import type { TokenHistory } from './token-history.ts';
import type { SamplingParams } from './types.ts';

/** Below this temperature sampling is greedy; dividing by less would overflow (vLLM's limit too). */
const GREEDY_BELOW = 1e-5;

/**
 * Picks tokens from logits. One sampler serves all sequences of an engine: it holds buffers only, the randomness comes
 * from (seed, position, token id) alone.
 */
export class Sampler {
  readonly #scratch: Float32Array; // [V]
  readonly #filter: TokenFilter;

  constructor(vocabSize: number) {
    this.#scratch = new Float32Array(vocabSize);
    this.#filter = new TokenFilter(vocabSize);
  }

  /**
   * The token at `position` = number of tokens before it: argmax of logit / temperature + Gumbel noise over the tokens
   * that the filters leave (the Gumbel-max trick), which is a sample of their softmax. Ties go to the lowest id.
   */
  sample(logits: Float32Array, params: SamplingParams, history: TokenHistory): number {
    const position = history.length;
    const processed = processLogits(logits, params, history, this.#scratch);
    const best = findBest(processed, position);
    if (params.temperature < GREEDY_BELOW) return best;
    const kept = this.#filter.select(processed, best, params);
    const key = noiseKey(params.seed, position);
    return kept === null
      ? perturbedBest(processed, best, 1 / params.temperature, key)
      : perturbedBestOf(kept, processed, 1 / params.temperature, key);
  }

  /** Writes the distribution that {@linkcode sample} draws from into `into`; [V]. */
  writeProbs(logits: Float32Array, params: SamplingParams, history: TokenHistory, into: Float32Array): void {
    const processed = processLogits(logits, params, history, this.#scratch);
    const best = findBest(processed, history.length);
    into.fill(0);
    if (params.temperature < GREEDY_BELOW) {
      into[best] = 1;
      return;
    }
    const kept = this.#filter.select(processed, best, params);
    writeSoftmax(processed, processed[best]!, params.temperature, kept, into);
  }
}

/** Id of the highest logit, lowest id first. */
export function findBest(logits: Float32Array, position: number): number {
  let best = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    if (logits[id]! > highest) {
      highest = logits[id]!;
      best = id;
    }
  }
  if (best >= 0 && highest < Number.POSITIVE_INFINITY) return best;
  throw new SdfpError(
    'runtime_failed',
    `cannot pick the token at position ${position}: no logit is a finite number; the weights or the graph are damaged`,
  );
}

/** Argmax over all tokens. The likeliest token goes first, so that most others cannot win and need no noise. */
function perturbedBest(
  logits: Float32Array,
  start: number,
  scale: number,
  key: { readonly first: number; readonly second: number },
): number {
  let winner = start;
  let highest = logits[start]! * scale + gumbel(noiseBits(key, start));
  for (let id = 0; id < logits.length; id++) {
    const value = logits[id]! * scale;
    if (value + GUMBEL_CEILING < highest || id === start) continue;
    const bits = noiseBits(key, id);
    if (value + gumbelBound(bits) < highest) continue; // exact: the bound is never under the noise
    const score = value + gumbel(bits);
    if (score > highest || (score === highest && id < winner)) {
      highest = score;
      winner = id;
    }
  }
  return winner;
}

/** The same over the ids that a filter kept, in any order. */
function perturbedBestOf(
  kept: Int32Array,
  logits: Float32Array,
  scale: number,
  key: { readonly first: number; readonly second: number },
): number {
  let winner = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < kept.length; i++) {
    const id = kept[i]!;
    const value = logits[id]! * scale;
    const bits = noiseBits(key, id);
    if (value + gumbelBound(bits) < highest) continue;
    const score = value + gumbel(bits);
    if (score > highest || (score === highest && id < winner) || winner < 0) {
      highest = score;
      winner = id;
    }
  }
  return winner;
}

function writeSoftmax(
  logits: Float32Array,
  highest: number,
  temperature: number,
  kept: Int32Array | null,
  into: Float32Array,
): void {
  const count = kept?.length ?? logits.length;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const id = kept === null ? i : kept[i]!;
    const weight = Math.exp((logits[id]! - highest) / temperature);
    into[id] = weight;
    total += weight;
  }
  for (let id = 0; id < into.length; id++) into[id]! /= total;
}
