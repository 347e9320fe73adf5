import process from 'node:process';

/**
 * Makes this thread of Node import TypeScript files, through tsx; Bun and Deno do so by themselves.
 * Every worker thread has to call it on its own before it imports a `.ts` file (Node hands no loader down to workers),
 * so a worker's entry is a small `.mjs` file: `await enableTypeScript(); await import('./real-entry.ts');`
 * `tsconfig: false`: the settings of the folder somebody happens to stand in are none of ours.
 */
export async function enableTypeScript() {
  if (process.versions.bun !== undefined || process.versions.deno !== undefined) return;
  const { register } = await import('tsx/esm/api');
  register({ tsconfig: false });
}
