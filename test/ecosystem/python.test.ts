/** OpenAI's package for Python, installed into a folder of its own, against a server with the story model. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServerProcess } from '../server/server-process.ts';
import { startStoryServer } from '../server/story-server.ts';

const OPENAI_VERSION = '3.57.0';
const PROGRAM = fileURLToPath(new URL('use_openai.py', import.meta.url));
const TIMEOUT_MS = 120_000;

/** Why Python's package cannot be tried here, or undefined. */
function findObstacle(): string | undefined {
  const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);
  if (python.error) return 'python3 is not on PATH';
  if (python.status !== 0) return 'python3 is older than 3.9';
  return spawnSync('python3', ['-m', 'pip', '--version']).status === 0 ? undefined : 'python3 has no pip';
}

const obstacle = findObstacle();
if (obstacle !== undefined) console.warn(`SKIPPED: openai for Python is not tested: ${obstacle}.`);

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  if (obstacle !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'sdfp-python-'));
  server = await startStoryServer({ environment: { API_KEY: 'secret' } });
}, 60_000);

afterAll(async () => {
  if (obstacle !== undefined) return;
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

test.skipIf(obstacle !== undefined)(
  'openai: answers, streams, objects, tools, responses and errors',
  async () => {
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', folder];
    await run('python3', [...install, `openai==${OPENAI_VERSION}`]);
    const output = await run('python3', [PROGRAM, `${server.url}/v1`, 'secret'], { PYTHONPATH: folder });
    expect(output.trim().split('\n').at(-1)).toBe('ok');
  },
  TIMEOUT_MS,
);

/** Not `spawnSync`: the server's output must go on being read. */
async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const child = Bun.spawn([program, ...args], {
    env: { ...process.env, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stderr}${stdout}`);
  return stdout;
}
