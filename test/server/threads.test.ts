import { afterAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestToWire } from '../../src/artifact/index.ts';
import { openModel } from '../../src/cli/model.ts';
import { describeProcessor } from '../../src/lib/processor.ts';
import { bakeStories } from '../fakes/baked-artifact.ts';
import { patchJson } from '../hf/scratch.ts';
import { startStoryServer } from './story-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'sdfp-threads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const artifact = join(folder, 'artifact');
const REMEMBERED = 9;
const REASON = 'the fastest, by measurements on a machine with this processor';
const { manifest } = await bakeStories(artifact, REMEMBERED);

/** What a server says of its threads, and how many its process has (by /proc, else NaN). */
async function serveOnce(environment: Readonly<Record<string, string>>) {
  const server = await startStoryServer({ artifact, environment });
  try {
    const { threads } = (await (await fetch(`${server.url}/health`)).json()) as { threads: unknown };
    const [, logged] = /^sdfp: ready: stories on cpu, loaded in .* s; (.*)$/m.exec(server.output()) ?? [];
    const tasks = `/proc/${server.pid}/task`;
    return { threads, logged, started: existsSync(tasks) ? readdirSync(tasks).length : Number.NaN };
  } finally {
    await server.stop();
  }
}

test('a server has the threads that were fastest when this machine built the artifact, unless told otherwise', async () => {
  const remembered = await serveOnce({});
  const told = await serveOnce({ SDFP_THREADS: '1' });
  expect([remembered.threads, remembered.logged]).toEqual([9, `9 threads (${REASON})`]);
  expect([told.threads, told.logged]).toEqual([1, '1 thread (as set)']);
  // The JavaScript runtime starts threads of its own, some more and some fewer.
  if (!Number.isNaN(told.started)) expect(remembered.started - told.started).toBeGreaterThan(4);
}, 30_000);

test('openModel() does the same', async () => {
  const runtime = { provider: undefined, threads: undefined };
  {
    await using model = await openModel(artifact, runtime);
    expect(model.engineOptions.threads).toBe(REMEMBERED);
    expect(model.threads).toEqual({ threads: REMEMBERED, reason: REASON });
  }
  {
    await using model = await openModel(artifact, { ...runtime, threads: 1 });
    expect(model.engineOptions.threads).toBe(1);
  }
  // As if the counts had been measured without a draft.
  patchJson(artifact, 'manifest.json', {
    measured: { ...(manifestToWire(manifest).measured as object), served_draft: null },
  });
  await using model = await openModel(artifact, runtime, 'fixed');
  expect(model.engineOptions.threads).toBe(describeProcessor().defaultThreads);
}, 30_000);
