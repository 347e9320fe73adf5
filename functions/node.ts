/** Node 20+: `node --import tsx functions/node.ts`, or `import { fetch }` where something else listens. Settings come from the environment. */
import { realpathSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { listen } from '../src/server/listen/node.ts';
import { createFetch, start } from './start.ts';

export const fetch: (request: Request) => Promise<Response> = createFetch();

// `import.meta.main` came with Node 24.2.
const main = process.argv[1];
if (main !== undefined && realpathSync(main) === fileURLToPath(import.meta.url)) await start(listen);
