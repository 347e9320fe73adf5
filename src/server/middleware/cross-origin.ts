import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { AppEnv } from '../context.ts';

/**
 * Which pages may call. Listed origins, if there are any; else any origin as long as no key is needed, and none with
 * keys. Never with credentials.
 */
export function crossOrigin(options: {
  readonly origins: readonly string[];
  readonly needsKey: boolean;
}): MiddlewareHandler<AppEnv> {
  const { origins, needsKey } = options;
  const isOpen = origins.includes('*') || (origins.length === 0 && !needsKey);
  return cors({
    origin: isOpen ? '*' : (origin) => (origins.includes(origin) ? origin : null),
    allowMethods: ['GET', 'HEAD', 'POST'],
    exposeHeaders: ['x-request-id', 'retry-after'],
    maxAge: 600,
  });
}
