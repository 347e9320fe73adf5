import process from 'node:process';
import type { Listen } from './types.ts';

export type { Listen, Listener, ListenOptions } from './types.ts';

/** The adapter of the runtime that this process is. */
export async function loadListen(): Promise<Listen> {
  if (process.versions.bun !== undefined) return (await import('./bun.ts')).listen;
  if (process.versions.deno !== undefined) return (await import('./deno.ts')).listen;
  return (await import('./node.ts')).listen;
}
