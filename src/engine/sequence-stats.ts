import type { GenerationStats } from './types.ts';

/** Counters and times of one generation. */
export class SequenceStats {
  readonly #submitted = performance.now();
  #started: number | undefined;
  #firstToken: number | undefined;
  #generatedTokens = 0;
  #numSpecSteps = 0;
  #numDraftTokens = 0;
  readonly #acceptedPerPosition: number[] = [];
  /** Prompt tokens that an earlier sequence had run. */
  numCachedTokens = 0;

  /** The request left the queue. Its time of waiting starts where `submitted` says. */
  start(): void {
    this.#started ??= performance.now();
  }

  /** A round that drafted `drafted` tokens, of which the first `accepted` were emitted, and emitted `emitted` in all. */
  recordRound(drafted: number, accepted: number, emitted: number): void {
    this.#firstToken ??= performance.now();
    this.#generatedTokens += emitted;
    if (drafted === 0) return;
    this.#numSpecSteps++;
    this.#numDraftTokens += drafted;
    for (let i = 0; i < drafted; i++) {
      this.#acceptedPerPosition[i] = (this.#acceptedPerPosition[i] ?? 0) + (i < accepted ? 1 : 0);
    }
  }

  /** Milliseconds between request and start. */
  get queueMs(): number {
    return (this.#started ?? performance.now()) - this.#submitted;
  }

  read(promptTokens: number): GenerationStats {
    const now = performance.now();
    const started = this.#started ?? now;
    const firstToken = this.#firstToken ?? now;
    return {
      promptTokens,
      numCachedTokens: this.numCachedTokens,
      generatedTokens: this.#generatedTokens,
      numSpecSteps: this.#numSpecSteps,
      numDraftTokens: this.#numDraftTokens,
      numAcceptedTokens: this.#acceptedPerPosition.reduce((sum, count) => sum + count, 0),
      acceptedPerPosition: [...this.#acceptedPerPosition],
      queueMs: this.queueMs,
      prefillMs: firstToken - started,
      decodeMs: now - firstToken,
    };
  }
}
