import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join, posix } from 'node:path';

/** The processor as this process may use it. */
export interface Processor {
  /** Model, as the system names it. */
  readonly cpu: string;
  /** Cores that the process may keep busy: by its affinity and its container's quota, 1 at least. */
  readonly cores: number;
  /** Whether the machine has more cores than that. */
  readonly isLimited: boolean;
}

/** The processor of this machine. Reads a few small files on Linux. */
export function describeProcessor(): Processor {
  const all = os.cpus();
  // Node 20 knows nothing of quotas, and no runtime of those that a parent group has.
  const cores = Math.max(1, Math.min(os.availableParallelism(), Math.floor(readQuotaCores('/'))));
  return { cpu: all[0]?.model.trim() ?? 'unknown', cores, isLimited: cores < all.length };
}

/**
 * Cores' worth of time that this process's control groups (Linux, version 1 and 2) let it have, e.g. 1.5; infinite without a
 * quota or where there are no such groups. `root`: where `proc` and `sys` are.
 */
export function readQuotaCores(root: string): number {
  const groups = read(join(root, 'proc/self/cgroup'))?.split('\n') ?? [];
  const quotas = groups.flatMap((line) => {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isUnified = controllers === '' && line.startsWith('0:');
    if (!isUnified && !controllers.split(',').includes('cpu')) return [];
    const base = join(root, 'sys/fs/cgroup', isUnified ? '' : 'cpu');
    return ancestors(path).map((group) => quotaOf(join(base, group), isUnified));
  });
  return Math.min(Number.POSITIVE_INFINITY, ...quotas);
}

/** The group and all above it: the least quota counts. */
function ancestors(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

function quotaOf(group: string, isUnified: boolean): number {
  const [quota, period] = isUnified
    ? (read(join(group, 'cpu.max'))?.split(' ') ?? [])
    : [read(join(group, 'cpu.cfs_quota_us')), read(join(group, 'cpu.cfs_period_us'))];
  const cores = Number(quota) / Number(period);
  // "max" and -1 say that there is none; a file that is missing says nothing.
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
