import type { StepMode } from './model.ts';

/** Time of the runs of one kind. */
export interface RunProfile {
  readonly mode: StepMode;
  /** New tokens of a run. */
  readonly width: number;
  readonly runs: number;
  readonly ms: number;
}

/** Where an engine's time went since it was made or last reset; all in milliseconds. */
export interface EngineProfile {
  /** Decoding rounds and prefill chunks. */
  readonly turns: number;
  /** All turns, everything below included. */
  readonly turnMs: number;
  /** Inside the runtime, by mode and width. */
  readonly runs: readonly RunProfile[];
  readonly runMs: number;
  /** Filling inputs and storing new K and V rows. */
  readonly feedMs: number;
  /** Logits processors, filters, sampling and verification. */
  readonly samplingMs: number;
  /** The rest of the turns: bookkeeping, logprobs, events. */
  readonly otherMs: number;
}

/** Adds up where the time goes. A reading of the clock costs well under a microsecond, so it is always on. */
export class Profiler {
  readonly #runs: Map<string, { mode: StepMode; width: number; runs: number; ms: number }> = new Map();
  #turns = 0;
  #turnMs = 0;
  #feedMs = 0;
  #samplingMs = 0;

  addRun(mode: StepMode, width: number, ms: number): void {
    const key = `${mode} ${width}`;
    const entry = this.#runs.get(key) ?? { mode, width, runs: 0, ms: 0 };
    entry.runs++;
    entry.ms += ms;
    this.#runs.set(key, entry);
  }

  addFeeds(ms: number): void {
    this.#feedMs += ms;
  }

  addSampling(ms: number): void {
    this.#samplingMs += ms;
  }

  addTurn(ms: number): void {
    this.#turns++;
    this.#turnMs += ms;
  }

  reset(): void {
    this.#runs.clear();
    this.#turns = this.#turnMs = this.#feedMs = this.#samplingMs = 0;
  }

  read(): EngineProfile {
    const runs = [...this.#runs.values()].map((entry) => ({ ...entry }));
    const runMs = runs.reduce((sum, entry) => sum + entry.ms, 0);
    const [turnMs, feedMs, samplingMs] = [this.#turnMs, this.#feedMs, this.#samplingMs];
    const otherMs = turnMs - runMs - feedMs - samplingMs;
    return { turns: this.#turns, turnMs, runs, runMs, feedMs, samplingMs, otherMs };
  }
}
