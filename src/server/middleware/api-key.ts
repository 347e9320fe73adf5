import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../context.ts';
import { invalidRequest } from '../errors.ts';

/** Lets requests with one of the keys pass; without keys all. Errors: 401 `invalid_api_key`. */
export function apiKey(options: { readonly keys: readonly string[] }): MiddlewareHandler<AppEnv> {
  const digests = Promise.all(options.keys.map(digest));
  return async (c, next) => {
    if (options.keys.length > 0) {
      const given = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
      if (!isAmong(await digest(given), await digests)) throw refusal(given);
    }
    await next();
  };
}

function refusal(given: string): Error {
  const found = given === '' ? 'no key was given' : 'the key is not one of the server';
  const message = `Checking the key: ${found}, needs \`Authorization: Bearer KEY\`.`;
  return invalidRequest(401, 'invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
}

async function digest(key: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)));
}

/** Compares every byte of every digest, so that the time tells nothing about the keys. */
function isAmong(given: Uint8Array, keys: readonly Uint8Array[]): boolean {
  let isFound = false;
  for (const key of keys) {
    let difference = 0;
    for (const [index, byte] of key.entries()) difference |= byte ^ given[index]!;
    isFound = difference === 0 || isFound;
  }
  return isFound;
}
