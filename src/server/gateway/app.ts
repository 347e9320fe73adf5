import { type Context, Hono } from 'hono';
import { limitBody } from '../body.ts';
import type { AppEnv } from '../context.ts';
import { answerFailures } from '../failures.ts';
import { apiKey } from '../middleware/api-key.ts';
import { crossOrigin } from '../middleware/cross-origin.ts';
import { requestId } from '../middleware/request-id.ts';
import { addFailure } from '../request-record.ts';
import { type ForwardOptions, forward } from './forward.ts';
import { toClientHeaders, toInstanceHeaders } from './headers.ts';
import { MODEL_ROUTE, ROUTES, toModelPath } from './routes.ts';

export interface GatewayOptions {
  /** Base URLs of servers, for example `http://10.0.0.7:3000`. */
  readonly instances: readonly string[];
  /** Keys of which every request must bear one; none: no key is needed. */
  readonly apiKeys?: readonly string[];
  /** Key of the instances, which is lent to bearers of `apiKeys` only. Default: they get the client's own. */
  readonly instanceKey?: string | undefined;
  readonly corsOrigins?: readonly string[];
  /** Default 2 MiB. */
  readonly maxBodyBytes?: number;
  /** After that another instance is asked. Default 240,000. */
  readonly firstByteTimeoutMs?: number;
  /** Gets one line per request. Default: nothing is logged. */
  readonly log?: (line: string) => void;
  /** Used in place of the global `fetch`. */
  readonly fetch?: ForwardOptions['fetch'];
}

const GUARDED = ['/v1/*', '/tokenize', '/detokenize'];

/**
 * Stands before several servers: checks keys, forwards, streams through. Web standards only, no state. Errors: TypeError
 * for a key of the instances that anybody could use.
 */
export function createGateway(options: GatewayOptions): Hono<AppEnv> {
  const { apiKeys = [], corsOrigins = [], log = () => {} } = options;
  refuseOpenKey(apiKeys, options.instanceKey);
  const app = new Hono<AppEnv>();
  app.use(requestId({ log }));
  answerFailures(app);
  app.use(crossOrigin({ origins: corsOrigins, needsKey: apiKeys.length > 0 }));
  for (const path of GUARDED) app.use(path, apiKey({ keys: apiKeys }));
  app.use(limitBody({ maxBytes: options.maxBodyBytes ?? 2 * 1024 * 1024 }));
  app.get('/live', (c) => c.json({ status: 'ok' }));
  for (const path of ROUTES) app.all(path, (c) => answer(c, path, options));
  app.all(MODEL_ROUTE, (c) => {
    const path = toModelPath(c.req.param('id'));
    return path === undefined ? c.notFound() : answer(c, path, options);
  });
  return app;
}

function refuseOpenKey(apiKeys: readonly string[], instanceKey: string | undefined): void {
  if (instanceKey === undefined || (apiKeys.length > 0 && !apiKeys.includes(''))) return;
  const found = apiKeys.length === 0 ? 'no key of clients' : 'an empty key of clients';
  throw new TypeError(
    `Cannot use INSTANCE_KEY: found ${found}, which lends it to everybody, needs API_KEY too.`,
  );
}

/** What an instance answers to the request; `path` is asked for, whatever spelling the client used. */
async function answer(c: Context<AppEnv>, path: string, options: GatewayOptions): Promise<Response> {
  const { method, signal, headers: own } = c.req.raw;
  const record = c.get('record');
  const body = method === 'GET' || method === 'HEAD' ? undefined : await c.req.arrayBuffer();
  const headers = await toInstanceHeaders(own, record.id, options.instanceKey);
  const { instances, firstByteTimeoutMs = 240_000 } = options;
  // Wrapped: workerd refuses a fetch that is called as a method.
  const fetch: ForwardOptions['fetch'] = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const response = await forward(
    { id: record.id, method, path: path + new URL(c.req.url).search, headers, body, signal },
    { instances, firstByteTimeoutMs, fetch, note: (failure) => addFailure(record, failure) },
  );
  return new Response(response.body, {
    status: response.status,
    headers: toClientHeaders(response.headers),
  });
}
