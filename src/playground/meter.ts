import type { TextEvent } from '../client/index.ts';

/** Figures of one run as the reader's browser sees it. */
export interface Figures {
  /** Milliseconds from the request to the first token; undefined before it. */
  readonly firstTokenMs: number | undefined;
  /** Tokens per second after the first event; undefined until a second one came. */
  readonly tokensPerSecond: number | undefined;
  /** Share of the tokens that were guessed, by the draft or from the text before, 0 to 1; undefined without tokens. */
  readonly draftShare: number | undefined;
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
  let fromDraft = 0;
  let first: { atMs: number; tokens: number } | undefined;
  let lastMs = startMs;
  return {
    add({ tokenIds, origins }, nowMs) {
      tokens += tokenIds.length;
      fromDraft += origins.filter((origin) => origin !== 'target').length;
      first ??= { atMs: nowMs, tokens };
      lastMs = nowMs;
    },
    read() {
      // The first event carries the prefill, so neither its time nor its tokens count towards the rate.
      const elapsedMs = first ? lastMs - first.atMs : 0;
      return {
        firstTokenMs: first && first.atMs - startMs,
        tokensPerSecond: first && elapsedMs > 0 ? ((tokens - first.tokens) / elapsedMs) * 1000 : undefined,
        draftShare: tokens > 0 ? fromDraft / tokens : undefined,
        tokens,
      };
    },
  };
}
