import type { Context } from 'hono';
import type { AppEnv } from './context.ts';

/**
 * Who sends a request, as a hash: what the server keeps for one (held streams, known prompts) must tell nobody else. A
 * gateway that has one key for all names the owner behind it.
 */
export async function ownerOf(c: Context<AppEnv>): Promise<string> {
  const owner = [c.req.header('authorization'), c.req.header('x-sdfp-owner')].join('\n');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(owner));
  return new Uint8Array(digest).toString();
}
