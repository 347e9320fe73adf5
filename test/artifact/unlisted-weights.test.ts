import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '../../src/cli/model.ts';
import { createService, superviseModel } from '../../src/serve.ts';
import { readSettings } from '../../src/server/settings.ts';
import { bakeStories } from '../fakes/baked-artifact.ts';
import { temporaryFolder } from './example.ts';

const runtime = { provider: undefined, threads: 1 };
let root: Awaited<ReturnType<typeof temporaryFolder>>;
let dir = '';

beforeAll(async () => {
  root = await temporaryFolder();
  dir = join(root.path, 'artifact');
  await bakeStories(dir);
});
afterAll(() => root[Symbol.asyncDispose]());

test('commands and server run weights only where the manifest lists them', async () => {
  await using model = await openModel(dir, runtime);
  expect(model.engine.info.hasDraft).toBe(true);
  const path = join(dir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  manifest.files = manifest.files.filter(({ name }: { name: string }) => name !== 'model.safetensors');
  await writeFile(path, JSON.stringify(manifest));
  const refusal = {
    code: 'runtime_failed',
    message: expect.stringContaining('the graph names "model.safetensors"'),
  };
  await expect(openModel(dir, runtime)).rejects.toMatchObject(refusal);
  const settings = readSettings({ environment: { ARTIFACT: dir } });
  const service = createService(settings, () => {});
  const options = { signal: new AbortController().signal, note: () => {} };
  await expect(superviseModel(settings, service, options)).rejects.toMatchObject(refusal);
}, 30_000);
