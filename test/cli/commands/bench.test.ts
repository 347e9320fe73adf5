import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { goldenDir } from '../../golden/models.ts';
import { runSdfp, SDFP } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'sdfp-bench-'));
const artifact = join(folder, 'tiny');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sdfp build and bench', () => {
  beforeAll(() => {
    const { status, stdout, stderr } = runSdfp([
      'build',
      goldenDir('smollm2-tied'),
      '--out',
      artifact,
      '--keep',
      '0.75',
    ]);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('as --keep said');
    expect(stderr).toMatch(/baked .* in \d+ s, peak memory \d+ MB/);
  }, 120_000);

  test('bench --json ends with machine, rows, costs and shares', () => {
    const { status, stdout } = runSdfp(['bench', artifact, '--tokens', '8', '--rounds', '1', '--json']);
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    const result = JSON.parse(lines.at(-1)!);
    expect(Object.keys(result.machine)).toEqual(['cpu', 'cores', 'memory_bytes', 'os', 'runtime']);
    expect(result.machine.cores).toBeGreaterThan(0);
    expect(
      new Set(result.rows.map(({ workload }: { workload: string }) => workload)).size,
    ).toBeGreaterThanOrEqual(4);
    expect(new Set(result.rows.map(({ temperature }: { temperature: number }) => temperature)).size).toBe(2);
    for (const row of result.rows) {
      expect(row.texts_equal).toBe(true);
      expect(row.ratio).toBeGreaterThan(0);
    }
    const { session, feeds, sampling, other, javascript, messaging } = result.shares;
    expect(messaging).toBeGreaterThan(0);
    expect(messaging).toBeLessThan(1);
    expect(stdout).toMatch(/^messages: \d+\.\d% of a generation's time/m);
    expect(session + feeds + sampling + other).toBeCloseTo(1, 6);
    expect(javascript).toBeCloseTo(1 - session, 6);
    expect(result.costs.target_ms).toHaveLength(9);
    expect(lines[0]).toMatch(/^workload/);
  }, 60_000);

  test('bench obeys --draft-tokens', () => {
    const args = [
      'bench',
      artifact,
      '--tokens',
      '8',
      '--rounds',
      '1',
      '--draft-tokens',
      '2',
      '--threads',
      '1',
      '--json',
    ];
    const result = JSON.parse(runSdfp(args).stdout.trim().split('\n').at(-1)!);
    expect(result.settings).toMatchObject({ threads: 1, threads_reason: 'as set' });
    for (const row of result.rows) expect(row.acceptance_length).toBeLessThanOrEqual(3);
    expect(result.rows.some((row: { acceptance_length: number }) => row.acceptance_length > 1)).toBe(true);
  }, 60_000);

  test('Ctrl-C ends a bench at once, whatever it is at', async () => {
    const args = [SDFP, 'bench', artifact, '--tokens', '400', '--rounds', '50'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await once(child.stderr, 'data');
    // Into the first generations: 50 rounds of them would take minutes.
    await sleep(3000);
    const startMs = performance.now();
    child.kill('SIGINT');
    const [status] = await once(child, 'exit');
    expect(status).toBe(130);
    expect(performance.now() - startMs).toBeLessThan(1000);
  }, 60_000);

  test.each([
    [['bench', artifact, '--draft', 'drop-99'], /--draft is "drop-99", the artifact has drop-3/],
    [['bench', goldenDir('smollm2-tied'), '--draft', 'x'], /--draft needs an artifact/],
    [['build', goldenDir('smollm2-tied'), '--method', 'magic'], /--method is "magic", needs one of fit/],
    [['build', goldenDir('smollm2-tied'), '--keep', '2'], /--keep is "2", needs a number from 0 to 1/],
    [['build', folder, '--out', join(folder, 'x')], /config\.json/],
  ])('%p is refused with one line', (args, problem) => {
    const { status, stderr } = runSdfp(args);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(problem);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => !/^read/.test(line)),
    ).toHaveLength(1);
  });
});
