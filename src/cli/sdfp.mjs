#!/usr/bin/env node
/**
 * The `sdfp` command on Bun, Deno and Node. Plain JavaScript, so that a Node that is too old or cannot read TypeScript
 * still gets as far as the message or the loader.
 */
import { existsSync } from 'node:fs';
import process from 'node:process';

const OLDEST_NODE = 20;
const major = Number(process.versions.node.split('.')[0]);
const isNode = process.versions.bun === undefined && process.versions.deno === undefined;
if (isNode && major < OLDEST_NODE) {
  console.error(`sdfp: found Node ${process.versions.node}, needs Node ${OLDEST_NODE} or newer, Bun or Deno`);
  process.exit(1);
}
const { main } = await importMain();
// Not process.exit(): what is still on its way to a pipe has to arrive.
process.exitCode = await main(process.argv.slice(2));

/** The repository has the sources, the published package what was compiled of them. */
async function importMain() {
  const sources = new URL('./main.ts', import.meta.url);
  if (!existsSync(sources)) return import(new URL('../../dist/cli/main.js', import.meta.url).href);
  const { enableTypeScript } = await import('../lib/typescript.mjs');
  await enableTypeScript();
  return import('./main.ts');
}
