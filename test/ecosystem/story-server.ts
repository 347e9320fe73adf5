import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bakeStories } from '../fakes/baked-artifact.ts';
import { startServer } from '../server/server-process.ts';

/** A server with the story model that needs the key `secret`, in a process of its own. */
export interface StoryServer {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startStoryServer(environment: Record<string, string> = {}): Promise<StoryServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sdfp-stories-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await bakeStories(join(folder, 'artifact'));
    const settings = { ARTIFACT: join(folder, 'artifact'), PORT: '0', API_KEY: 'secret', ...environment };
    const server = await startServer(['bun', 'functions/bun.ts'], settings);
    return {
      url: server.url,
      async stop() {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
