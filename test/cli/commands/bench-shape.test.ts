import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describeProcessor } from '../../../src/lib/processor.ts';
import { goldenDir } from '../../golden/models.ts';
import { runSdfp, SDFP } from '../run.ts';

const tinyShape = join(goldenDir('smollm2-tied'), 'config.json');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sdfp-bench-shape-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Draft {
  readonly precision: string;
  readonly kept_layers: number;
  readonly num_tokens: number | null;
  readonly draft_ms: number;
  readonly draft_start_ms: number;
  readonly target_ms: readonly number[];
  readonly predictions: readonly Prediction[];
}

interface Prediction {
  readonly acceptance: number;
  readonly draft_length: number;
  readonly speedup: number;
}

describe('sdfp bench --shape', () => {
  test('--json ends with costs and the speed that follows from them; nothing is left behind', () => {
    const args = ['bench', '--shape', tinyShape, '--rounds', '1', '--json'];
    const { status, stdout, stderr } = runSdfp(args, 'bun', { TMPDIR: folder });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(leftBehind()).toEqual([]);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toContain('0.3 million random weights');
    const { shape, target, drafts, best, peak_rss_bytes, seconds, settings } = JSON.parse(lines.at(-1)!);
    expect(shape).toEqual({ name: tinyShape, num_layers: 6, num_weights: 289_600 });
    const threads = describeProcessor().defaultThreads ?? null;
    expect(settings).toEqual({
      rounds: 1,
      threads,
      threads_reason: expect.stringContaining('nothing was measured'),
      provider: 'cpu',
    });
    expect(target.target_ms).toHaveLength(13);
    expect(peak_rss_bytes).toBeGreaterThan(50e6);
    expect(seconds).toBeGreaterThan(0);
    const kinds = ['f32 5', 'f32 3', 'f32 2'].concat(
      ['int8', 'int4'].flatMap((precision) => [6, 5, 3, 2].map((kept) => `${precision} ${kept}`)),
    );
    expect(
      (drafts as Draft[]).map(({ precision, kept_layers, num_tokens }) => [
        `${precision} ${kept_layers}`,
        num_tokens,
      ]),
    ).toEqual(kinds.flatMap((kind) => [null, 384 / 8].map((numTokens) => [kind, numTokens])));
    for (const draft of drafts as Draft[]) {
      expect(draft.draft_ms).toBeGreaterThan(0);
      expect(draft.predictions.map(({ acceptance }) => acceptance)).toEqual([0.6, 0.7, 0.8, 0.9, 0.95]);
      for (const prediction of draft.predictions) expectBest(draft, prediction);
    }
    for (const [i, { speedup }] of (best as Prediction[]).entries()) {
      const all = (drafts as Draft[]).map(({ predictions }) => predictions[i]!.speedup);
      expect(speedup).toBe(Math.max(...all));
    }
  }, 60_000);

  test('is ended by Ctrl-C, and leaves nothing behind', async () => {
    const args = ['bench', '--shape', tinyShape, '--rounds', '100000'];
    const child = spawn(process.execPath, [SDFP, ...args], {
      env: { ...process.env, TMPDIR: folder },
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      // The last file to be written: measuring has begun.
      while (!hasFile(/draft\.int4\.head/)) await Bun.sleep(20);
      child.kill('SIGINT');
      expect(await ended).toBe(130);
    } finally {
      child.kill('SIGKILL');
    }
    expect(leftBehind()).toEqual([]);
  }, 60_000);

  test.each([
    [['--shape', 'gpt-9'], /--shape is "gpt-9", needs one of smollm2-135m, qwen3-0.6b, or the path/],
    [['--shape', tinyShape, '--tokens', '9'], /--tokens does not go with --shape/],
    [['some-artifact', '--shape', tinyShape], /needs exactly one of an artifact and --shape/],
    [[], /found neither, needs exactly one of an artifact and --shape/],
    [['--shape', tinyShape, '--rounds', '0'], /--rounds is "0"/],
  ])('%p is refused with one line', (args, problem) => {
    const { status, stderr } = runSdfp(['bench', ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(problem);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test.each([
    ['a model that cannot be computed', { model_type: 'mamba' }, 3, /model_type/],
    ['a context too short for a step', { max_position_embeddings: 12 }, 2, /12, needs at least 13/],
    ['a model too large', { vocab_size: 4_000_000_000 }, 2, /MB of memory are free, needs about \d+ MB/],
  ])('%s is refused, and leaves nothing behind', async (_, change, exit, problem) => {
    const config = { ...(await Bun.file(tinyShape).json()), ...change };
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const { status, stderr } = runSdfp(['bench', '--shape', file], 'bun', { TMPDIR: folder });
    expect({ status, stderr }).toEqual({ status: exit, stderr: expect.stringMatching(problem) });
    expect(leftBehind()).toEqual([]);
  });
});

/** ONNX Runtime writes files of its own into the temporary folder. */
function leftBehind(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('sdfp-'));
}

function hasFile(pattern: RegExp): boolean {
  return readdirSync(folder, { recursive: true }).some((name) => pattern.test(String(name)));
}

/** Tokens of a round over its cost, and no other draft length is better (Leviathan et al. 2023, section 3). */
function expectBest(draft: Draft, prediction: Prediction): void {
  const { target_ms: targetMs } = draft;
  const speedupOf = (length: number): number => {
    const tokens = Array.from({ length: length + 1 }, (_, i) => prediction.acceptance ** i);
    const drafting = length === 0 ? 0 : draft.draft_start_ms + length * draft.draft_ms;
    return (tokens.reduce((a, b) => a + b) * targetMs[0]!) / (drafting + targetMs[length]!);
  };
  expect(prediction.speedup).toBeCloseTo(speedupOf(prediction.draft_length), 6);
  for (let length = 0; length <= 12; length++) {
    expect(prediction.speedup).toBeGreaterThanOrEqual(speedupOf(length) - 1e-9);
  }
}
