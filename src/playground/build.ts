/**
 * Builds `page.js`, what browsers load, from `page.ts` and the client: `bun src/playground/build.ts`. The result is
 * committed, so that nobody needs a build to serve the page; a test builds it again and compares.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The text of `page.js`. Runs in Bun only. */
export async function buildPage(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    target: 'browser',
    minify: true,
  });
  const code = await outputs[0]?.text();
  if (!code) throw new Error('Building page.js: the bundler made no file.');
  const ignored = ['format', 'lint', 'assist'].map(
    (kind) => `// biome-ignore-all ${kind}: built from page.ts by build.ts`,
  );
  return [...ignored, code].join('\n');
}

if (import.meta.main) await writeFile(new URL('page.js', import.meta.url), await buildPage());
