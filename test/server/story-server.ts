import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bakeStories } from '../fakes/baked-artifact.ts';
import { type ServerProcess, startServer } from './server-process.ts';

export interface StoryServerOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Files that are loaded before the server. */
  readonly preload?: readonly string[];
  /** Folder of an artifact; default: the story model with a fixed draft, in a folder that is gone with the server. */
  readonly artifact?: string | undefined;
}

/** A server with the story model in a process of its own. */
export async function startStoryServer(options: StoryServerOptions = {}): Promise<ServerProcess> {
  const { environment = {}, preload = [], artifact } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sdfp-stories-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const own = join(folder, 'artifact');
    if (artifact === undefined) await bakeStories(own);
    const command = ['bun', ...preload.flatMap((file) => ['--preload', file]), 'functions/bun.ts'];
    const server = await startServer(command, { ARTIFACT: artifact ?? own, PORT: '0', ...environment });
    const stop: ServerProcess['stop'] = (signal) => server.stop(signal).finally(remove);
    return { ...server, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}
