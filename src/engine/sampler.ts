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
  #lead = 0;

  constructor(vocabSize: number) {
    this.#scratch = new Float32Array(vocabSize);
    this.#filter = new TokenFilter(vocabSize);
  }

  /**
   * How far the token that was picked last was ahead of the next best, in logits over temperature (greedy: in logits),
   * noise included; Infinity where there was no other. A draft's token with a small lead is the likeliest to be wrong:
   * the noise is the target's, so small differences between the two models decide only between close tokens.
   */
  get lead(): number {
    return this.#lead;
  }

  /**
   * The token at `position` = number of tokens before it: argmax of logit / temperature + Gumbel noise over the tokens
   * that the filters leave (the Gumbel-max trick), which is a sample of their softmax. Ties go to the lowest id.
   */
  sample(logits: Float32Array, params: SamplingParams, history: TokenHistory): number {
    return this.#pick(processLogits(logits, params, history, this.#scratch), params, history.length);
  }

  /**
   * The same of a draft's logits, -Infinity for tokens that it cannot propose; undefined: no token that may come next
   * has another one.
   */
  sampleDraft(logits: Float32Array, params: SamplingParams, history: TokenHistory): number | undefined {
    const processed = processLogits(logits, params, history, this.#scratch);
    const hasToken = processed.some((logit) => logit !== Number.NEGATIVE_INFINITY);
    return hasToken ? this.#pick(processed, params, history.length) : undefined;
  }

  #pick(logits: Float32Array, params: SamplingParams, position: number): number {
    const best = findBest(logits, position);
    const choice =
      params.temperature < GREEDY_BELOW ? best : this.#perturbedBest(logits, best.id, params, position);
    this.#lead = choice.score - choice.next;
    return choice.id;
  }

  #perturbedBest(logits: Float32Array, best: number, params: SamplingParams, position: number): Choice {
    const kept = this.#filter.select(logits, best, params);
    const [scale, key] = [1 / params.temperature, noiseKey(params.seed, position)];
    return kept === null
      ? perturbedBest(logits, best, scale, key)
      : perturbedBestOf(kept, logits, scale, key);
  }

  /** Writes the distribution that {@linkcode sample} draws from into `into`; [V]. */
  writeProbs(logits: Float32Array, params: SamplingParams, history: TokenHistory, into: Float32Array): void {
    const processed = processLogits(logits, params, history, this.#scratch);
    const best = findBest(processed, history.length).id;
    into.fill(0);
    if (params.temperature < GREEDY_BELOW) {
      into[best] = 1;
      return;
    }
    const kept = this.#filter.select(processed, best, params);
    writeSoftmax(processed, processed[best]!, params.temperature, kept, into);
  }
}

/** A token with its score, and the score of the next best; -Infinity: there is no other. */
export interface Choice {
  readonly id: number;
  readonly score: number;
  readonly next: number;
}

/** Highest logit, lowest id first. */
export function findBest(logits: Float32Array, position: number): Choice {
  let id = -1;
  let [score, next] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (!(logit > next)) continue;
    if (logit > score) [id, score, next] = [i, logit, score];
    else next = logit;
  }
  if (id >= 0 && score < Number.POSITIVE_INFINITY) return { id, score, next };
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
): Choice {
  let id = start;
  let [score, next] = [logits[start]! * scale + gumbel(noiseBits(key, start)), Number.NEGATIVE_INFINITY];
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i]! * scale;
    if (value + GUMBEL_CEILING < next || i === start) continue;
    const bits = noiseBits(key, i);
    if (value + gumbelBound(bits) < next) continue; // exact: the bound is never under the noise
    const perturbed = value + gumbel(bits);
    if (perturbed > score || (perturbed === score && i < id)) [id, score, next] = [i, perturbed, score];
    else if (perturbed > next) next = perturbed;
  }
  return { id, score, next };
}

/** The same over the ids that a filter kept, in any order. */
function perturbedBestOf(
  kept: Int32Array,
  logits: Float32Array,
  scale: number,
  key: { readonly first: number; readonly second: number },
): Choice {
  let id = -1;
  let [score, next] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const candidate of kept) {
    const value = logits[candidate]! * scale;
    const bits = noiseBits(key, candidate);
    if (value + gumbelBound(bits) < next) continue;
    const perturbed = value + gumbel(bits);
    if (perturbed > score || (perturbed === score && candidate < id) || id < 0) {
      [id, score, next] = [candidate, perturbed, score];
    } else if (perturbed > next) next = perturbed;
  }
  return { id, score, next };
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
