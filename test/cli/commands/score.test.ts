import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenDir, readGolden } from '../../golden/models.ts';
import { runSdfp } from '../run.ts';

const golden = readGolden('mistral-f16');
const dir = goldenDir('mistral-f16');
const folder = mkdtempSync(join(tmpdir(), 'sdfp-score-'));
const ids = join(folder, 'ids.json');
writeFileSync(ids, JSON.stringify(golden.fisher.sequences.map((sequence) => sequence.ids)));
afterAll(() => rmSync(folder, { recursive: true }));

describe('sdfp score', () => {
  test('--json gives units, layers and the matrix of fit', () => {
    const { stdout, status } = runSdfp(['score', dir, '--ids', ids, '--json']);
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(['method', 'units', 'layers', 'matrix']);
    expect(result.method).toBe('fit');
    expect(result.units.map(({ name }: { name: string }) => name)).toEqual([...golden.fisher.units]);
    expect(result.matrix[3][5] / golden.fisher.fit_matrix[3]![5]!).toBeCloseTo(1, 3);
    expect(result.layers[1] / golden.fisher.layers[1]!.fit_act_tok).toBeCloseTo(1, 3);
  });

  test('prints a line per layer without --json', () => {
    const { stdout, status } = runSdfp(['score', dir, '--ids', ids, '--method', 'last']);
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2 + golden.fisher.layers.length);
    expect(stdout).toContain('scores by last');
  });

  test('--seed decides about random', () => {
    const score = (seed: string) =>
      runSdfp(['score', dir, '--ids', ids, '--method', 'random', '--seed', seed, '--json']).stdout;
    expect(score('3')).toBe(score('3'));
    expect(score('3')).not.toBe(score('4'));
  });

  test.each([
    [['--method', 'magic'], /found "magic", needs one of fit, fit-gate/],
    [['--ids', join(folder, 'none.json')], /none\.json cannot be read/],
    [['--seed', '-1'], /needs a whole number from 0/],
  ])('%p is refused with one line', (flags, problem) => {
    const { stderr, stdout, status } = runSdfp(['score', dir, '--ids', ids, ...flags]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(problem);
  });
});
