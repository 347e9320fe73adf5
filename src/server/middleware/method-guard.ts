import type { Hono } from 'hono';
import type { AppEnv } from '../context.ts';
import { invalidRequest } from '../errors.ts';

/** Answers 405 with `Allow` where a path of `app` is asked for with another method. Call it after the last route. */
export function guardMethods(app: Hono<AppEnv>): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === 'ALL') continue;
    const known = methods.get(path) ?? new Set();
    known.add(method);
    if (method === 'GET') known.add('HEAD');
    methods.set(path, known);
  }
  for (const [path, known] of methods) {
    const allow = [...known].join(', ');
    app.all(path, (c) => {
      const message = `Answering the request: ${c.req.path} does not know ${c.req.method}, needs ${allow}.`;
      throw invalidRequest(405, 'method_not_allowed', message, { headers: { allow } });
    });
  }
}
