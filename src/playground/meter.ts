import type { TextEvent } from '../client/index.ts';

/** Figures of one run as the reader's browser sees it. */
export interface Figures {
  /** Milliseconds from the request to the first token; undefined before it. */
  readonly firstTokenMs: number | undefined;
  /** Tokens per second after the first event; undefined until a second one came. */
  readonly tokensPerSecond: number | undefined;
  /**
   * Acceptance length so far: tokens per pass of the target, which adds one of its own to the guesses that it accepts;
   * undefined before the first pass.
   */
  readonly tokensPerPass: number | undefined;
  readonly tokens: number;
}

/** Measures one run. */
export interface Meter {
  /** Counts an event that arrived at `nowMs`. */
  add(event: TextEvent, nowMs: number): void;
  read(): Figures;
}

/** A meter of a run whose request was sent at `startMs`. */
export function createMeter(startMs: number): Meter {
  let tokens = 0;
  let passes = 0;
  let first: { atMs: number; tokens: number } | undefined;
  let lastMs = startMs;
  return {
    add({ tokenIds, origins }, nowMs) {
      tokens += tokenIds.length;
      passes += origins.filter((origin) => origin === 'target').length;
      first ??= { atMs: nowMs, tokens };
      lastMs = nowMs;
    },
    read() {
      // The first event carries the prefill, so neither its time nor its tokens count towards the rate.
      const elapsedMs = first ? lastMs - first.atMs : 0;
      return {
        firstTokenMs: first && first.atMs - startMs,
        tokensPerSecond: first && elapsedMs > 0 ? ((tokens - first.tokens) / elapsedMs) * 1000 : undefined,
        tokensPerPass: passes > 0 ? tokens / passes : undefined,
        tokens,
      };
    },
  };
}
