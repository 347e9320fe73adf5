import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenDir, readGolden } from '../../golden/models.ts';
import { runSdfp } from '../run.ts';

const golden = readGolden('mistral-f16');
const dir = goldenDir('mistral-f16');
const folder = mkdtempSync(join(tmpdir(), 'sdfp-eval-'));
const ids = join(folder, 'ids.json');
writeFileSync(
  ids,
  JSON.stringify([golden.prompt_ids, ...golden.fisher.sequences.map((sequence) => sequence.ids)]),
);
afterAll(() => rmSync(folder, { recursive: true }));

describe('sdfp eval', () => {
  test('--json gives nll_sum, tokens, last_logits and agreement', () => {
    const { stdout, status } = runSdfp(['eval', dir, '--ids', ids, '--json']);
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(['nll_sum', 'tokens', 'last_logits', 'agreement']);
    expect(result.last_logits).toHaveLength(4);
    expect(result.last_logits[0]).toHaveLength(golden.logits[2]!.length);
    expect(result.last_logits[0][7]).toBeCloseTo(golden.logits[2]![7]!, 3);
    expect(result.agreement).toBe(1);
  });

  test('--drop removes layers and blocks', () => {
    const [half] = golden.half_pruned;
    const drop = [
      ...half!.drop_attn.map((l) => `${l}.attn`),
      ...half!.drop_mlp.map((l) => `${l}.mlp`),
    ].join();
    const { stdout, status } = runSdfp(['eval', dir, '--ids', ids, '--drop', drop, '--json']);
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.last_logits[0][7]).toBeCloseTo(half!.logits[7]!, 3);
    expect(result.agreement).toBeLessThan(1);
  });

  test('says for people what was dropped', () => {
    const { stdout, status } = runSdfp(['eval', dir, '--ids', ids, '--drop', '1']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/dropped +1\.attn, 1\.mlp\n/);
    expect(stdout).toMatch(/perplexity \d/);
  });

  test.each([
    ['9', /entry "9", needs layers or blocks as in 3,5\.attn,7\.mlp with layers 0 to 3/],
    ['1.foo', /entry "1\.foo"/],
  ])('--drop %s is refused with one line', (drop, problem) => {
    const { stderr, status } = runSdfp(['eval', dir, '--ids', ids, '--drop', drop]);
    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(problem);
  });
});
