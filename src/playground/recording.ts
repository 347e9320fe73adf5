import type { CompletionStream, EndEvent, TextEvent } from '../client/index.ts';

/** A text event and when it came. */
export interface TimedEvent {
  readonly event: TextEvent;
  /** Since the request. */
  readonly atMs: number;
}

/** A whole answer with its times. */
export interface Recording {
  readonly events: readonly TimedEvent[];
  readonly end: EndEvent;
  /** From the request to the end. */
  readonly totalMs: number;
}

/** Runs a request to its end. `onEvent` sees each event as it comes. Errors: those of the client. */
export async function record(
  stream: CompletionStream,
  onEvent: (timed: TimedEvent) => void,
  now: () => number = () => performance.now(),
): Promise<Recording> {
  const startMs = now();
  const events: TimedEvent[] = [];
  for await (const event of stream) {
    const atMs = now() - startMs;
    if (event.type === 'end') return { events, end: event, totalMs: atMs };
    events.push({ event, atMs });
    onEvent({ event, atMs });
  }
  throw new TypeError('Recording an answer: the stream has no end.');
}

/** Tokens per second of the whole answer, the wait for the first one included. */
export function speedOf({ end, totalMs }: Recording): number {
  return (countTokens(end) / totalMs) * 1000;
}

export function countTokens({ usage, tokenIds }: EndEvent): number {
  return usage?.completion_tokens ?? tokenIds.length;
}

/** Index of the first token in which two answers differ; undefined if they are the same, tokens and text. */
export function findDifference(a: EndEvent, b: EndEvent): number | undefined {
  const length = Math.max(a.tokenIds.length, b.tokenIds.length);
  for (let i = 0; i < length; i++) if (a.tokenIds[i] !== b.tokenIds[i]) return i;
  return a.text === b.text ? undefined : length;
}

/** Gives each event of a recording again, in its time; at once from when the signal aborts. */
export async function replay(
  { events }: Recording,
  onEvent: (timed: TimedEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const startMs = performance.now();
  for (const timed of events) {
    await waitUntil(startMs + timed.atMs, signal);
    onEvent(timed);
  }
}

function waitUntil(dueMs: number, signal: AbortSignal): Promise<void> {
  const leftMs = dueMs - performance.now();
  if (leftMs <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, leftMs);
    signal.addEventListener('abort', finish);
  });
}
