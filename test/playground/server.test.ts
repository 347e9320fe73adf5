import { describe, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bakeStories } from '../fakes/baked-artifact.ts';
import { startServer } from '../server/server-process.ts';
import { isBrowserMissing } from './browser.ts';
import { addCommonTests } from './common-tests.ts';
import { describePlayground, type PlaygroundServer } from './suite.ts';

/** The real server in a process of its own, with the story model and a draft that is always there. */
async function startStories(): Promise<PlaygroundServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sdfp-playground-'));
  const artifact = join(folder, 'stories');
  await bakeStories(artifact);
  const server = await startServer(['bun', 'functions/bun.ts'], { ARTIFACT: artifact, PORT: '0' });
  const close = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { baseUrl: server.url, close };
}

if (isBrowserMissing()) {
  describe('the playground on the server', () => test.skip('in Chromium: none is installed', () => {}));
} else describePlayground('the playground on the server', startStories, addCommonTests);
