import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { SdfpError } from '../lib/errors.ts';
import type { AppEnv } from './context.ts';
import { invalidRequest } from './errors.ts';

/** Refuses bodies over `maxBytes` before they are in memory. Errors: 413. */
export function limitBody(options: { readonly maxBytes: number }): MiddlewareHandler<AppEnv> {
  const { maxBytes } = options;
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw invalidRequest(
        413,
        'body_too_large',
        `Reading the request: the body is over ${maxBytes} bytes, needs less.`,
      );
    },
  });
}

/** Deepest nesting of a body: what reads it further on calls itself, and threads have little stack. */
const MAX_DEPTH = 256;

/** Errors: SdfpError `invalid_request` if it is no JSON, or nested too deeply. */
export async function readJson(c: Context<AppEnv>): Promise<unknown> {
  const value = parse(await c.req.text());
  if (!isDeeperThan(value, MAX_DEPTH)) return value;
  throw new SdfpError(
    'invalid_request',
    `Reading the request: the body has more than ${MAX_DEPTH} levels, needs fewer.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SdfpError('invalid_request', 'Reading the request: the body is no JSON, needs an object.', {
      cause,
    });
  }
}

/** Level by level, since it must not call itself either. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; depth <= levels && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      // Numbers and texts, of which there may be a hundred thousand, are no level of their own.
      for (const child of childrenOf(item)) if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
  return level.length > 0;
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}
