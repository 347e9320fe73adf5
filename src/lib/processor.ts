import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { join, posix } from 'node:path';

/** The processor as this process may use it. */
export interface Processor {
  /** Model, as the system names it. */
  readonly cpu: string;
  /** Cores that the process may keep busy: by its affinity and its container's quota, 1 at least. */
  readonly cores: number;
  /**
   * Threads that a session gets unless told otherwise, where the process may use fewer cores than ONNX Runtime starts threads:
   * one per core. Undefined: as many as ONNX Runtime chooses.
   */
  readonly defaultThreads: number | undefined;
}

/** The processor of this machine. Reads a few small files on Linux, one more per core where the process is limited. */
export function describeProcessor(): Processor {
  const all = os.cpus();
  // Node 20 knows nothing of quotas, and no runtime of those that a parent group has.
  const cores = Math.max(1, Math.min(os.availableParallelism(), Math.floor(readQuotaCores('/'))));
  const cpu = all[0]?.model.trim() ?? 'unknown';
  return { cpu, cores, defaultThreads: limitThreads('/', { cores, logicalCores: all.length }) };
}

/**
 * ONNX Runtime starts a thread per physical core, heeding neither affinity nor quotas: on fewer cores these would spin for
 * turns. Returns `cores` if it is the smaller number, else undefined. `root`: where `sys` is; what it does not tell is taken for
 * one physical core per logical one.
 */
export function limitThreads(
  root: string,
  { cores, logicalCores }: { readonly cores: number; readonly logicalCores: number },
): number | undefined {
  const mayBeFewer = cores < logicalCores;
  return mayBeFewer && cores < (readPhysicalCores(root) ?? logicalCores) ? cores : undefined;
}

/** Logical cores that share a physical one name the same siblings. */
function readPhysicalCores(root: string): number | undefined {
  const folder = join(root, 'sys/devices/system/cpu');
  const names = list(folder).filter((name) => /^cpu\d+$/.test(name));
  const siblings = names.flatMap((name) => read(join(folder, name, 'topology/thread_siblings_list')) ?? []);
  return siblings.length === 0 ? undefined : new Set(siblings).size;
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

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
