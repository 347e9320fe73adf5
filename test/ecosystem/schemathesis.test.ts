/** Schemathesis makes requests of /openapi.json, right and wrong ones, and holds the answers against it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenApiDocument } from '../../src/server/openapi/document.ts';
import type { ServerProcess } from '../server/server-process.ts';
import { startStoryServer } from '../server/story-server.ts';

const VERSION = '4.32.5';
/** Random cases of each of the operations, on top of those of its coverage phase: half a minute on 2 cores. */
const EXAMPLES = Number(process.env.SCHEMATHESIS_EXAMPLES ?? 5);
const SEED = process.env.SCHEMATHESIS_SEED ?? '1';
const TIMEOUT_MS = 120_000 + 5_000 * EXAMPLES;

/** Why it cannot be tried here, or undefined. */
function findObstacle(): string | undefined {
  const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']);
  if (python.error) return 'python3 is not on PATH';
  if (python.status !== 0) return 'python3 is older than 3.10';
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) return 'python3 has no pip';
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
  const target = ['--timeout', '10', '--retries', '1', '--target', folder, `schemathesis==${VERSION}`];
  const { status, stderr } = spawnSync('python3', [...install, ...target], { encoding: 'utf8' });
  return status === 0 ? undefined : `pip cannot install it (${stderr.trim().split('\n').at(-1)})`;
}

const folder = mkdtempSync(join(tmpdir(), 'sdfp-schemathesis-'));
const obstacle = findObstacle();
if (obstacle !== undefined) console.warn(`SKIPPED: schemathesis is not run: ${obstacle}.`);

let server: ServerProcess;

beforeAll(async () => {
  if (obstacle === undefined) server = await startStoryServer({ environment: { API_KEY: 'secret' } });
}, 60_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/**
 * The server's description, in a file. Schemas of streams are those of the chunks, as OpenAI writes them; Schemathesis takes
 * them for schemas of an event with its fields, so they are left out (`openapi.test.ts` holds chunks against them).
 */
async function saveDescription(): Promise<string> {
  const document: OpenApiDocument = await (await fetch(`${server.url}/openapi.json`)).json();
  const withoutChunks = JSON.stringify(document, (key, value) => (key === 'text/event-stream' ? {} : value));
  const file = join(folder, 'openapi.json');
  await writeFile(file, withoutChunks);
  return file;
}

test.skipIf(obstacle !== undefined)(
  'no request that /openapi.json can make gets a 5xx or an answer that it does not describe',
  async () => {
    const command = [
      ...['python3', '-m', 'schemathesis.cli', 'run', await saveDescription(), '--url', server.url],
      ...['--header', 'Authorization: Bearer secret', '--phases', 'coverage,fuzzing'],
      // Fields that are right alone may be wrong together (`stream_options` without `stream`), which no schema tells.
      ...['--exclude-checks', 'positive_data_acceptance'],
      ...['--max-examples', String(EXAMPLES), '--seed', SEED, '--request-timeout', '20', '--no-color'],
    ];
    const env = { ...process.env, PYTHONPATH: folder };
    const child = Bun.spawn(command, { env, cwd: folder, stdout: 'pipe', stderr: 'inherit' });
    const output = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) throw new Error(output);
    expect(Number(/(\d+) generated/.exec(output)?.[1])).toBeGreaterThan(300);
    expect((await fetch(`${server.url}/live`)).status).toBe(200);
  },
  TIMEOUT_MS,
);
