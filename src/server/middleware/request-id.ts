import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { AppEnv } from '../context.ts';
import { createRequestRecord } from '../request-record.ts';
import type { RequestTracer } from '../tracing/types.ts';

/** Where requests are told. */
export interface RequestIdOptions {
  readonly log: (line: string) => void;
  readonly tracer?: RequestTracer | undefined;
}

/** Ids of clients that are harmless in headers and logs. */
const REQUEST_ID_PATTERN: RegExp = /^[\w.-]{1,128}$/;

/** Gives every request an id (the client's own, if it is harmless), writes its line of the log and traces it. */
export function requestId(options: RequestIdOptions): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const own = c.req.header('x-request-id') ?? '';
    const id = REQUEST_ID_PATTERN.test(own) ? own : crypto.randomUUID();
    const endSpan = options.tracer?.start(c.req.raw);
    const record = createRequestRecord({ id, method: c.req.method, path: c.req.path }, options.log, endSpan);
    // Patterns of parameters (`:id{.+}`) are no part of a name; those of middleware end with a star.
    const pattern = matchedRoutes(c).findLast(({ path }) => !path.endsWith('*'))?.path;
    record.route = pattern?.replace(/\{.*?\}/g, '');
    c.set('record', record);
    await next();
    c.header('x-request-id', id);
    c.header('x-content-type-options', 'nosniff');
    if (!record.isStream) record.end(c.req.raw.signal.aborted ? 499 : c.res.status);
  };
}
