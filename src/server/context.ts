import type { Admission } from './admission.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { ModelHost } from './model-host.ts';
import type { RequestRecord } from './request-record.ts';

/** What the handlers of one app share. */
export interface ServerContext {
  readonly host: ModelHost;
  readonly admission: Admission;
  readonly metrics: ServerMetrics;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
}

/** Hono's type of an app whose requests carry a record. */
export interface AppEnv {
  Variables: { record: RequestRecord };
}
