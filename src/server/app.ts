import { Hono } from 'hono';
import { type Admission, createAdmission } from './admission.ts';
import { limitBody } from './body.ts';
import type { AppEnv, ServerContext } from './context.ts';
import { answerFailures } from './failures.ts';
import { resumeStreams } from './held/resume.ts';
import { createServerMetrics } from './metrics/server-metrics.ts';
import { apiKey } from './middleware/api-key.ts';
import { crossOrigin } from './middleware/cross-origin.ts';
import { guardMethods } from './middleware/method-guard.ts';
import { type RequestIdOptions, requestId } from './middleware/request-id.ts';
import type { ModelHost } from './model-host.ts';
import { completionRoutes } from './routes/completions.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { healthRoutes } from './routes/health.ts';
import { modelRoutes } from './routes/models.ts';
import { type PageFile, pageRoutes } from './routes/pages.ts';
import { tokenRoutes } from './routes/tokens.ts';
import type { RequestTracer } from './tracing/types.ts';

/** Limits of an app; each has a default. */
export interface AppLimits {
  /** Default 2 MiB. */
  readonly maxBodyBytes?: number;
  /** Ceiling of one request. Default 240,000. */
  readonly requestTimeoutMs?: number;
  /** Interval of comments in a stream that waits. Default 10,000. */
  readonly keepAliveMs?: number;
  /** How long a stream whose client asked for it outlives its connection; 0: never. Default 10,000. */
  readonly resumeMs?: number;
}

export interface AppOptions {
  readonly host: ModelHost;
  readonly limits?: AppLimits;
  /** Places for generations. Default: 144. */
  readonly admission?: Admission;
  /** Keys of which every request must bear one; none: no key is needed. */
  readonly apiKeys?: readonly string[];
  /** Origins whose pages may call. */
  readonly corsOrigins?: readonly string[];
  /** Files for browsers by URL path, and their content security policy. */
  readonly pages?: { readonly files: ReadonlyMap<string, PageFile>; readonly securityPolicy: string };
  /** Gets one line per request. Default: nothing is logged. */
  readonly log?: (line: string) => void;
  /** Default: nothing is traced. */
  readonly tracer?: RequestTracer | undefined;
  readonly residentMemoryBytes?: () => number;
}

/** Paths that need a key, if the app has any. */
const GUARDED = ['/v1/*', '/tokenize', '/detokenize', '/plan', '/metrics'];

/** The HTTP API around a model. Web standards only: `app.fetch` runs in every runtime, `app.request()` in tests. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { host, limits = {}, apiKeys = [], corsOrigins = [], pages, log = () => {} } = options;
  const metrics = createServerMetrics(host, options.residentMemoryBytes);
  const server: ServerContext = {
    host,
    metrics,
    admission: options.admission ?? createAdmission(144),
    requestTimeoutMs: limits.requestTimeoutMs ?? 240_000,
    keepAliveMs: limits.keepAliveMs ?? 10_000,
  };
  const app = createBase({ log, tracer: options.tracer });
  app.use(crossOrigin({ origins: corsOrigins, needsKey: apiKeys.length > 0 }));
  for (const path of GUARDED) app.use(path, apiKey({ keys: apiKeys }));
  app.use(limitBody({ maxBytes: limits.maxBodyBytes ?? 2 * 1024 * 1024 }));
  app.use('/v1/*', resumeStreams({ keepMs: limits.resumeMs ?? 10_000, ending: host.draining }));
  app.route('/', healthRoutes(host));
  app.route('/', modelRoutes(server));
  app.route('/', completionRoutes(server));
  app.route('/', tokenRoutes(server));
  app.route('/', documentationRoutes());
  app.get('/metrics', (c) =>
    c.body(metrics.render(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  if (pages !== undefined) app.route('/', pageRoutes(pages.files, pages.securityPolicy));
  guardMethods(app);
  return app;
}

/** The second listener of platforms that probe another port. */
export function createHealthApp(options: Pick<AppOptions, 'host'>): Hono<AppEnv> {
  const app = createBase({ log: () => {} });
  app.route('/', healthRoutes(options.host));
  guardMethods(app);
  return app;
}

/** Ids, log lines and error answers. */
function createBase(options: RequestIdOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(requestId(options));
  answerFailures(app);
  return app;
}
