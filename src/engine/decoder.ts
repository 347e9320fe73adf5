import { noiseKey } from '../lib/random.ts';
import { confidenceOf } from './confidence.ts';
import type { SpeculationKnowledge } from './experience.ts';
import type { ModelRunner } from './model.ts';
import type { Profiler } from './profiler.ts';
import { Sampler } from './sampler.ts';
import type { Sequence } from './sequence.ts';
import type { SamplingParams } from './types.ts';

/** What the sequences of an engine share: the model, sampling with its buffers, and what was learnt about speed. */
export class Decoder {
  readonly model: ModelRunner;
  readonly knowledge: SpeculationKnowledge;
  readonly profiler: Profiler;
  readonly #sampler: Sampler;
  readonly #targetProbs: Float32Array; // [V]
  /** One per draft position; made when first used. */
  readonly #draftProbs: Float32Array[] = [];

  constructor(model: ModelRunner, knowledge: SpeculationKnowledge, profiler: Profiler) {
    this.model = model;
    this.knowledge = knowledge;
    this.profiler = profiler;
    this.#sampler = new Sampler(model.vocabSize);
    this.#targetProbs = new Float32Array(model.vocabSize);
  }

  /** The token that follows the sequence's history under `logits` [V]. */
  sample(sequence: Sequence, logits: Float32Array): number {
    return this.#sample(sequence, logits, sequence.request.sampling);
  }

  /**
   * The model draft's token: with the target's noise for coupled verification; for rejection, with noise of its own for
   * each round, which begins at `knownTokens`, so that a rejected draft tells nothing about the next one.
   */
  sampleDraft(sequence: Sequence, logits: Float32Array, knownTokens: number): number {
    const { sampling, speculation } = sequence.request;
    if (speculation.verification === 'coupled') return this.#sample(sequence, logits, sampling);
    const seed = noiseKey(sampling.seed, knownTokens, 'draft').first >>> 0;
    return this.#sample(sequence, logits, { ...sampling, seed });
  }

  /** The model draft's own probability of the token that it picked, before filters and penalties. */
  confidence(sequence: Sequence, logits: Float32Array, id: number): number {
    const started = performance.now();
    const confidence = confidenceOf(logits, id, sequence.request.sampling.temperature);
    this.profiler.addSampling(performance.now() - started);
    return confidence;
  }

  /** The distribution that {@linkcode sample} draws from; [V], valid until the next call. */
  targetProbs(sequence: Sequence, logits: Float32Array): Float32Array {
    return this.#writeProbs(sequence, logits, this.#targetProbs);
  }

  /** The same for draft position `index`; [V], valid until the next round. */
  draftProbs(sequence: Sequence, logits: Float32Array, index: number): Float32Array {
    this.#draftProbs[index] ??= new Float32Array(this.model.vocabSize);
    return this.#writeProbs(sequence, logits, this.#draftProbs[index]!);
  }

  #sample(sequence: Sequence, logits: Float32Array, params: SamplingParams): number {
    const started = performance.now();
    const id = this.#sampler.sample(logits, params, sequence.history);
    this.profiler.addSampling(performance.now() - started);
    return id;
  }

  #writeProbs(sequence: Sequence, logits: Float32Array, into: Float32Array): Float32Array {
    const started = performance.now();
    this.#sampler.writeProbs(logits, sequence.request.sampling, sequence.history, into);
    this.profiler.addSampling(performance.now() - started);
    return into;
  }
}
