import { noiseKey } from '../lib/random.ts';
import type { SpeculationKnowledge } from './experience.ts';
import type { ModelRunner } from './model.ts';
import type { Profiler } from './profiler.ts';
import { Sampler } from './sampler.ts';
import type { Sequence } from './sequence.ts';

/** What the sequences of an engine share: the model, sampling with its buffers, and what was learnt about speed. */
export class Decoder {
  readonly model: ModelRunner;
  readonly knowledge: SpeculationKnowledge;
  readonly profiler: Profiler;
  readonly #sampler: Sampler;
  readonly #targetProbs: Float32Array; // [V]

  constructor(model: ModelRunner, knowledge: SpeculationKnowledge, profiler: Profiler) {
    this.model = model;
    this.knowledge = knowledge;
    this.profiler = profiler;
    this.#sampler = new Sampler(model.vocabSize);
    this.#targetProbs = new Float32Array(model.vocabSize);
  }

  /** The token that follows the sequence's history under `logits` [V]. */
  sample(sequence: Sequence, logits: Float32Array): number {
    return this.#timed(() => this.#sampler.sample(logits, sequence.request.sampling, sequence.history));
  }

  /**
   * The model draft's token: with the target's noise for coupled verification; for rejection, with noise of its own for
   * each round, which begins at `knownTokens`, so that a rejected draft tells nothing about the next one. Undefined: the
   * draft can propose no token that may come next.
   */
  sampleDraft(sequence: Sequence, logits: Float32Array, knownTokens: number): number | undefined {
    const { history, request } = sequence;
    const { sampling, speculation } = request;
    const params =
      speculation.verification === 'coupled'
        ? sampling
        : { ...sampling, seed: noiseKey(sampling.seed, knownTokens, 'draft').first >>> 0 };
    return this.#timed(() => this.#sampler.sampleDraft(logits, params, history));
  }

  /** Of the token sampled last, see {@linkcode Sampler.lead}. */
  get lead(): number {
    return this.#sampler.lead;
  }

  /** The distribution that {@linkcode sample} draws from; [V], valid until the next call. */
  targetProbs(sequence: Sequence, logits: Float32Array): Float32Array {
    return this.#writeProbs(sequence, logits, this.#targetProbs);
  }

  /** The same as an array of its own: other sequences draft before this one's tokens are verified. */
  draftProbs(sequence: Sequence, logits: Float32Array): Float32Array {
    return this.#writeProbs(sequence, logits, new Float32Array(this.model.vocabSize));
  }

  #writeProbs({ request, history }: Sequence, logits: Float32Array, into: Float32Array): Float32Array {
    this.#timed(() => this.#sampler.writeProbs(logits, request.sampling, history, into));
    return into;
  }

  #timed<T>(sample: () => T): T {
    const started = performance.now();
    const result = sample();
    this.profiler.addSampling(performance.now() - started);
    return result;
  }
}
