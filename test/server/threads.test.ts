import { afterAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModel } from '../../src/cli/model.ts';
import { bakeStories } from '../fakes/baked-artifact.ts';
import { startStoryServer } from './story-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'sdfp-threads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const artifact = join(folder, 'artifact');
const REMEMBERED = 9;
await bakeStories(artifact, REMEMBERED);

/** What a server says of its threads, and how many its process has (by /proc, else NaN). */
async function serveOnce(environment: Readonly<Record<string, string>>) {
  const server = await startStoryServer({ artifact, environment });
  try {
    const { threads } = (await (await fetch(`${server.url}/health`)).json()) as { threads: string };
    expect(server.output()).toMatch(/^sdfp: ready: stories on cpu, loaded in .* s; /m);
    expect(server.output()).toContain(`; ${threads}\n`);
    const tasks = `/proc/${server.pid}/task`;
    return { threads, started: existsSync(tasks) ? readdirSync(tasks).length : Number.NaN };
  } finally {
    await server.stop();
  }
}

test('a server has the threads that were fastest when this machine built the artifact, unless told otherwise', async () => {
  const remembered = await serveOnce({});
  const told = await serveOnce({ SDFP_THREADS: '1' });
  expect(remembered.threads).toBe('9 threads (fastest when measured on this machine)');
  expect(told.threads).toBe('1 thread (as set)');
  // The JavaScript runtime starts threads of its own, some more and some fewer.
  if (!Number.isNaN(told.started)) expect(remembered.started - told.started).toBeGreaterThan(4);
}, 30_000);

test('openModel() does the same', async () => {
  const runtime = { provider: undefined, threads: undefined };
  {
    await using model = await openModel(artifact, runtime);
    expect(model.engineOptions.threads).toBe(REMEMBERED);
    expect(model.threads).toBe('9 threads (fastest when measured on this machine)');
  }
  await using model = await openModel(artifact, { ...runtime, threads: 1 });
  expect(model.engineOptions.threads).toBe(1);
}, 30_000);
