/** Deno: `deno run -A functions/deno.ts`, or `import { fetch }` where something else listens. Settings come from the environment. */
import { listen } from '../src/server/listen/deno.ts';
import { createFetch, start } from './start.ts';

export const fetch: (request: Request) => Promise<Response> = createFetch();

if (import.meta.main) await start(listen);
