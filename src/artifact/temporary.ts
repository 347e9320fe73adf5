import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { MANIFEST_FILE } from './manifest.ts';

/** After this time a temporary of another machine counts as left behind; writing one takes minutes at most. */
const STALE_MS = 24 * 3600 * 1000;

/**
 * A new name beside `path`, in the same folder so that a rename is atomic. It says which process made it:
 * `.NAME.sdfp-HOST-PID-RANDOM.tmp`; hosts count because machines and containers may share a disk but no process ids.
 */
export function temporaryName(path: string): string {
  const random = randomBytes(4).toString('hex');
  return join(dirname(path), `.${basename(path)}.sdfp-${hostId()}-${process.pid}-${random}.tmp`);
}

/**
 * Clears what killed builds of `path` left beside it, and nothing that a living one still writes. A build killed between
 * the two renames of a replacement leaves no `path` but complete artifacts beside it: one of them is put back.
 */
export async function clearStaleTemporaries(path: string): Promise<void> {
  const prefix = `.${basename(path)}.sdfp-`;
  for (const name of await readdir(dirname(path))) {
    const owner = /^([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp$/.exec(name.slice(prefix.length));
    if (!name.startsWith(prefix) || owner === null) continue;
    const temporary = join(dirname(path), name);
    if (!(await isStale(temporary, owner[1]!, Number(owner[2])))) continue;
    const isComplete = existsSync(join(temporary, MANIFEST_FILE));
    if (isComplete && !existsSync(path)) await rename(temporary, path);
    else await rm(temporary, { recursive: true, force: true });
  }
}

async function isStale(temporary: string, host: string, pid: number): Promise<boolean> {
  if (host === hostId() && !isAlive(pid)) return true;
  const found = await stat(temporary).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Anything but "no such process" (EPERM: somebody else's) leaves the possibility that it lives.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function hostId(): string {
  return createHash('sha256').update(os.hostname()).digest('hex').slice(0, 8);
}
