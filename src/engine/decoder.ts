import type { SpeculationKnowledge } from './draft-length.ts';
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
    const started = performance.now();
    const id = this.#sampler.sample(logits, sequence.request.sampling, sequence.history);
    this.profiler.addSampling(performance.now() - started);
    return id;
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

  #writeProbs(sequence: Sequence, logits: Float32Array, into: Float32Array): Float32Array {
    const started = performance.now();
    this.#sampler.writeProbs(logits, sequence.request.sampling, sequence.history, into);
    this.profiler.addSampling(performance.now() - started);
    return into;
  }
}
