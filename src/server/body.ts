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

/** Errors: SdfpError `invalid_request` if it is no JSON. */
export async function readJson(c: Context<AppEnv>): Promise<unknown> {
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SdfpError('invalid_request', 'Reading the request: the body is no JSON, needs an object.', {
      cause,
    });
  }
}
