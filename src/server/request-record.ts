import type { Tally } from './generation/tally.ts';

/** What the log says of one request. Never its text. */
export interface RequestRecord {
  readonly id: string;
  /** A stream ends after its handler has returned; whoever set this calls `end`. */
  isStream: boolean;
  /** Tokens sent so far; undefined: it generates none. */
  tokens: number | undefined;
  /** Of an answer that came to its end. */
  tally: Tally | undefined;
  /** Why it failed, for the log only. */
  failure: string | undefined;
  /** Writes the line; only the first call does. `status` 499: the client went away (nginx's number). */
  end(status: number): void;
}

/** `write` gets one line of JSON without its line feed. */
export function createRequestRecord(
  facts: { readonly id: string; readonly method: string; readonly path: string },
  write: (line: string) => void,
): RequestRecord {
  const startedMs = performance.now();
  let isEnded = false;
  const record: RequestRecord = {
    id: facts.id,
    isStream: false,
    tokens: undefined,
    tally: undefined,
    failure: undefined,
    end(status) {
      if (isEnded) return;
      isEnded = true;
      const ms = Math.round(performance.now() - startedMs);
      const path = facts.path.slice(0, 200);
      write(
        JSON.stringify({
          ...facts,
          path,
          status,
          ms,
          tokens: record.tokens,
          acceptance: acceptanceRate(record.tally),
          error: record.failure,
        }),
      );
    },
  };
  return record;
}

/** Undefined (and left out of the line) without drafts. */
function acceptanceRate(tally: Tally | undefined): number | undefined {
  if (tally === undefined || tally.draftTokens === 0) return undefined;
  return Number((tally.acceptedTokens / tally.draftTokens).toFixed(3));
}
