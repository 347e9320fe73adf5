import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { describeProcessor, limitThreads, readQuotaCores } from '../../src/lib/processor.ts';

const folder = mkdtempSync(join(os.tmpdir(), 'sdfp-processor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** A root with these files. */
function rootWith(files: Readonly<Record<string, string>>): string {
  const root = join(folder, String(count++));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), `${content}\n`);
  }
  return root;
}

describe('readQuotaCores()', () => {
  const inPod = { 'proc/self/cgroup': '0::/pod/box' };
  const old = { 'proc/self/cgroup': '3:cpuset:/box\n2:cpu,cpuacct:/box\n1:name=systemd:/other' };
  const cases: [string, Record<string, string>, number][] = [
    ['version 2, in its own group', { ...inPod, 'sys/fs/cgroup/pod/box/cpu.max': '150000 100000' }, 1.5],
    ['version 2, in a parent', { ...inPod, 'sys/fs/cgroup/pod/cpu.max': '200000 100000' }, 2],
    [
      'version 2, the least of several',
      {
        ...inPod,
        'sys/fs/cgroup/cpu.max': '300000 100000',
        'sys/fs/cgroup/pod/cpu.max': '400000 100000',
        'sys/fs/cgroup/pod/box/cpu.max': 'max 100000',
      },
      3,
    ],
    ['version 2, none', { ...inPod, 'sys/fs/cgroup/pod/box/cpu.max': 'max 100000' }, Infinity],
    [
      'version 1',
      {
        ...old,
        'sys/fs/cgroup/cpu/box/cpu.cfs_quota_us': '50000',
        'sys/fs/cgroup/cpu/box/cpu.cfs_period_us': '100000',
      },
      0.5,
    ],
    [
      'version 1, none',
      {
        ...old,
        'sys/fs/cgroup/cpu/box/cpu.cfs_quota_us': '-1',
        'sys/fs/cgroup/cpu/box/cpu.cfs_period_us': '100000',
      },
      Infinity,
    ],
    ['groups whose files are elsewhere', inPod, Infinity],
    ['no groups', {}, Infinity],
  ];
  test.each(cases)('%s', (_, files, cores) => {
    expect(readQuotaCores(rootWith(files))).toBe(cores);
  });
});

describe('limitThreads()', () => {
  /** 16 logical cores; `siblingsOf`: those on the physical core of one. */
  const machine = (siblingsOf: (core: number) => string) =>
    Object.fromEntries(
      Array.from({ length: 16 }, (_, core) => [
        `sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`,
        siblingsOf(core),
      ]),
    );
  const paired = machine((core) => `${core % 8},${(core % 8) + 8}`);
  const single = machine(String);
  const cases: [string, Record<string, string>, number, number | undefined][] = [
    ['fewer than the physical cores', paired, 7, 7],
    ['as many as the physical cores', paired, 8, undefined],
    ['more than the physical cores, not all logical ones', paired, 12, undefined],
    ['some of the cores of a processor that pairs none', single, 12, 12],
    ['all cores', single, 16, undefined],
    ['some of cores of which nothing more is known', {}, 12, 12],
  ];
  test.each(cases)('%s', (_, files, cores, threads) => {
    expect(limitThreads(rootWith(files), { cores, logicalCores: 16 })).toBe(threads);
  });
});

describe('describeProcessor()', () => {
  test('names the processor, and no more cores than the machine has', () => {
    const { cpu, cores, defaultThreads } = describeProcessor();
    expect(cpu).not.toBe('');
    expect(cores).toBeWithin(1, os.cpus().length + 1);
    expect([undefined, cores]).toContain(defaultThreads);
    if (cores === os.cpus().length) expect(defaultThreads).toBeUndefined();
  });
});
