import type { RequestRecord } from '../request-record.ts';

/** Ends the span of a request with what is known of it. */
export type EndSpan = (record: RequestRecord, status: number) => void;

/** Tells a collector of every request. */
export interface RequestTracer {
  /** Begins the span of a request, within the caller's trace if its headers name one. */
  start(request: Request): EndSpan;
  /** Sends what is left. Never throws. */
  shutdown(): Promise<void>;
}
