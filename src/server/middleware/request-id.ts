import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../context.ts';
import { createRequestRecord } from '../request-record.ts';

/** Gives every request an id (the client's own, if it is harmless) and writes its line of the log. */
export function requestId(options: { readonly log: (line: string) => void }): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const own = c.req.header('x-request-id') ?? '';
    const id = /^[\w.-]{1,128}$/.test(own) ? own : crypto.randomUUID();
    const record = createRequestRecord({ id, method: c.req.method, path: c.req.path }, options.log);
    c.set('record', record);
    await next();
    c.header('x-request-id', id);
    c.header('x-content-type-options', 'nosniff');
    if (!record.isStream) record.end(c.req.raw.signal.aborted ? 499 : c.res.status);
  };
}
