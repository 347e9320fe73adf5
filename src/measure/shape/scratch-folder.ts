import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** A folder of this process alone, gone when disposed of. */
export interface ScratchFolder extends Disposable {
  readonly path: string;
}

/**
 * Makes a folder under the system's temporary one. A process that exits before it disposes of the folder (a second
 * Ctrl-C) removes it too; one that is killed leaves it behind.
 */
export async function openScratchFolder(): Promise<ScratchFolder> {
  const path = await mkdtemp(join(tmpdir(), 'sdfp-shape-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', remove);
  return {
    path,
    [Symbol.dispose]: () => {
      process.off('exit', remove);
      remove();
    },
  };
}
