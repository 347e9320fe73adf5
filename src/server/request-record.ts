import type { GenerateRequest } from '../engine/types.ts';
import type { Tally } from './generation/tally.ts';

/** What a request asked of the model. */
export interface GenerationRecord {
  readonly model: string;
  readonly promptTokens: number;
  /** Answers: prompts times `n`. */
  readonly choices: number;
  /** The same for all answers, but for their seeds. */
  readonly request: Pick<GenerateRequest, 'maxTokens' | 'sampling'>;
  /** From the request to its first token, waiting included. */
  firstTokenMs: number | undefined;
  /** Why its answers ended, so far. */
  readonly finishReasons: string[];
}

/** What log and traces say of one request. Never its text. */
export interface RequestRecord {
  readonly id: string;
  /** On the clock of `performance`. */
  readonly startedMs: number;
  /** Pattern of the path that answers, once it is known. */
  route: string | undefined;
  /** Undefined: it generates nothing, or was refused before that. */
  generation: GenerationRecord | undefined;
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

/** Adds to what is known of a failure. */
export function addFailure(record: RequestRecord, failure: string): void {
  record.failure = record.failure === undefined ? failure : `${record.failure}; ${failure}`;
}

/** `write` gets one line of JSON without its line feed; `onEnd` the status, once. */
export function createRequestRecord(
  facts: { readonly id: string; readonly method: string; readonly path: string },
  write: (line: string) => void,
  onEnd: (record: RequestRecord, status: number) => void = () => {},
): RequestRecord {
  const startedMs = performance.now();
  let isEnded = false;
  const record: RequestRecord = {
    id: facts.id,
    startedMs,
    route: undefined,
    generation: undefined,
    isStream: false,
    tokens: undefined,
    tally: undefined,
    failure: undefined,
    end(status) {
      if (isEnded) return;
      isEnded = true;
      const ms = roundMs(performance.now() - startedMs);
      const path = facts.path.slice(0, 200);
      write(
        JSON.stringify({
          ...facts,
          path,
          status,
          ms,
          ttft_ms: roundMs(record.generation?.firstTokenMs),
          prompt_tokens: record.generation?.promptTokens,
          tokens: record.tokens,
          acceptance: acceptanceRate(record.tally),
          error: record.failure,
        }),
      );
      onEnd(record, status);
    },
  };
  return record;
}

function roundMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}

/** Undefined (and left out of the line) without drafts. */
export function acceptanceRate(tally: Tally | undefined): number | undefined {
  if (tally === undefined || tally.draftTokens === 0) return undefined;
  return Number((tally.acceptedTokens / tally.draftTokens).toFixed(3));
}
