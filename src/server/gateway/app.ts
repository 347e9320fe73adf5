import { type Context, Hono } from 'hono';
import { limitBody } from '../body.ts';
import type { AppEnv } from '../context.ts';
import { invalidRequest, toApiError } from '../errors.ts';
import { apiKey } from '../middleware/api-key.ts';
import { crossOrigin } from '../middleware/cross-origin.ts';
import { requestId } from '../middleware/request-id.ts';
import { type ForwardOptions, forward } from './forward.ts';

export interface GatewayOptions {
  /** Base URLs of servers, for example `http://10.0.0.7:3000`. */
  readonly instances: readonly string[];
  /** Keys of which every request must bear one; none: no key is needed. */
  readonly apiKeys?: readonly string[];
  /** Key of the instances. Default: they get the client's own. */
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
const REQUEST_HEADERS = ['accept', 'authorization', 'content-type', 'last-event-id'];
const ANSWER_HEADERS = ['allow', 'cache-control', 'content-type', 'retry-after', 'x-accel-buffering'];

/** Stands before several servers: checks keys, forwards, streams through. Web standards only, no state. */
export function createGateway(options: GatewayOptions): Hono<AppEnv> {
  const { apiKeys = [], corsOrigins = [], log = () => {} } = options;
  const app = new Hono<AppEnv>();
  app.use(requestId({ log }));
  app.use(crossOrigin({ origins: corsOrigins, needsKey: apiKeys.length > 0 }));
  for (const path of GUARDED) app.use(path, apiKey({ keys: apiKeys }));
  app.use(limitBody({ maxBytes: options.maxBodyBytes ?? 2 * 1024 * 1024 }));
  app.get('/live', (c) => c.json({ status: 'ok' }));
  for (const path of [...GUARDED, '/health']) app.all(path, (c) => answer(c, options));
  app.notFound((c) => {
    const message = `Answering the request: there is no ${c.req.path.slice(0, 100)}.`;
    return c.json(invalidRequest(404, 'not_found', message).envelope, 404);
  });
  app.onError((error, c) => {
    const failure = toApiError(error);
    if (failure.status >= 500) c.get('record').failure = String(error);
    return c.json(failure.envelope, failure.status, { ...failure.headers });
  });
  return app;
}

async function answer(c: Context<AppEnv>, options: GatewayOptions): Promise<Response> {
  const { method, signal } = c.req.raw;
  const body = method === 'GET' || method === 'HEAD' ? undefined : await c.req.arrayBuffer();
  const { pathname, search } = new URL(c.req.url);
  const headers = await toHeaders(c, options.instanceKey);
  const { instances, firstByteTimeoutMs = 240_000 } = options;
  // Wrapped: workerd refuses a fetch that is called as a method.
  const fetch: ForwardOptions['fetch'] = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const response = await forward(
    { id: c.get('record').id, method, path: pathname + search, headers, body, signal },
    { instances, firstByteTimeoutMs, fetch },
  );
  return new Response(response.body, {
    status: response.status,
    headers: pick(response.headers, ANSWER_HEADERS),
  });
}

function pick(headers: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}

/** What an instance gets. Behind a shared key it still tells the clients' held streams apart, by `x-sdfp-owner`. */
async function toHeaders(c: Context<AppEnv>, instanceKey: string | undefined): Promise<Headers> {
  const headers = pick(c.req.raw.headers, REQUEST_HEADERS);
  headers.set('x-request-id', c.get('record').id);
  if (instanceKey === undefined) return headers;
  const own = new TextEncoder().encode(headers.get('authorization') ?? '');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', own));
  headers.set('x-sdfp-owner', [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
  headers.set('authorization', `Bearer ${instanceKey}`);
  return headers;
}
