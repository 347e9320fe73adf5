import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFetch } from '../../functions/start.ts';
import { bakeStories } from '../fakes/baked-artifact.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sdfp-functions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a function whose model could not be loaded loads it with a later request', async () => {
  const artifact = join(folder, 'artifact');
  const stop = new AbortController();
  const environment = { ARTIFACT: artifact };
  const fetch = createFetch({ environment, retryMs: 300, signal: stop.signal });
  const ask = async (path: string, body?: object) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(new Request(`http://function${path}`, init));
    return { status: response.status, body: await response.json() };
  };
  const refused = await ask('/v1/completions', { prompt: 'Once', max_tokens: 2 });
  expect([refused.status, refused.body.error.code]).toEqual([503, 'engine_closed']);
  expect(await ask('/health')).toMatchObject({ status: 503, body: { state: 'failed' } });
  await bakeStories(artifact);
  await Bun.sleep(320);
  expect((await ask('/health')).body.state).toBe('loading');
  const answer = await ask('/v1/completions', { prompt: 'Once', max_tokens: 2 });
  expect([answer.status, answer.body.usage.completion_tokens]).toEqual([200, 2]);
  expect(await ask('/health')).toMatchObject({ status: 200, body: { state: 'ready' } });
  // Rounds of the warm-up are none of the clients'.
  const metrics = await (await fetch(new Request('http://function/metrics'))).text();
  expect(metrics).toContain('\nsdfp_generation_tokens_total 2\n');
  stop.abort();
  await Bun.sleep(20);
  expect((await ask('/health')).body.state).toBe('draining');
}, 60_000);
