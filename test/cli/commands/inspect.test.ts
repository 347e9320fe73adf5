import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ManifestSchema, manifestToWire, writeArtifact } from '../../../src/artifact/index.ts';
import { drawNumbers, drawPlan } from '../../../src/cli/picture.ts';
import { manifestJsonSchema } from '../../../src/schema.ts';
import { exampleParts, temporaryFolder } from '../../artifact/example.ts';
import { runSdfp } from '../run.ts';

async function bakeExample(root: string): Promise<Awaited<ReturnType<typeof writeArtifact>>> {
  return writeArtifact(join(root, 'artifact'), await exampleParts(join(root, 'model')));
}

describe('sdfp inspect', () => {
  test('draws a line per layer with what is kept and skipped, then the numbers', async () => {
    await using root = await temporaryFolder();
    const { dir, manifest } = await bakeExample(root.path);
    const { status, stdout } = runSdfp(['inspect', dir]);
    expect(status).toBe(0);
    const drawn = `${drawPlan(manifest, (_, text) => text)}\n\n${drawNumbers(manifest)}\n`;
    expect(stdout).toStartWith(drawn);
    expect(stdout.slice(drawn.length)).toMatch(/^verified {5}\d files: .*\n$/);
    const lines = stdout.split('\n');
    expect(lines).toContain(
      'example: llama, 2 layers, hidden size 64, vocabulary 400, context 512 tokens; baked by sdfp 0.1.0',
    );
    expect(lines).toContain(
      'draft: drop-1 skips 1 of 4 blocks, keeps 75% of the block weights, no weights of its own (fastest of 2 on the machine below)',
    );
    expect(lines.find((line) => line.startsWith('    0 '))).toMatch(
      /^ {4}0 {3}█+·+ {2}0\.123 .* keep .*█+·* {2}0\.333 .* keep$/,
    );
    expect(lines.find((line) => line.startsWith('    1 '))).toMatch(
      /^ {4}1 {2}\[█·+\] 6\.67e-10 .*skip .*█{16} {2}4\.00 .* keep$/,
    );
    expect(stdout).toContain(
      'threads      2 (the fastest); compared: default 500.0 tokens/s, 2 550.0 tokens/s\n',
    );
    expect(stdout).toContain('acceptance   81%; by position 90% 80%');
    expect(stdout).toContain(
      'speed        400.1 tokens/s plain, 420.0 by prompt lookup alone (1.05x), 480.0 with the draft too (1.20x; predicted 500.0)',
    );
    expect(stdout).toMatch(/\* drop-1 +1 +75% +all +0\.0 +80% +1\.10 +500\.0 +-\n/);
    expect(stdout).toMatch(/ {2}drop-2 +2 +50% +3 +0\.0 +- +- +- +-\n/);
  });

  test('marks what a draft computes with rounded weights', async () => {
    await using root = await temporaryFolder();
    const { manifest } = await bakeExample(root.path);
    const measured = { ...manifest.measured!, servedDraft: 'drop-2' };
    const lines = drawPlan({ ...manifest, measured }, (_, text) => text).split('\n');
    expect(lines[1]).toContain(
      'keeps 50% of the block weights, proposes 3 of the 400 tokens, 0.0 MB of rounded weights',
    );
    expect(lines.find((line) => line.startsWith('    0 '))).toMatch(/ int8 .* skip$/);
    expect(lines.find((line) => line.startsWith('    1 '))).toMatch(/ skip .* int4$/);
  });

  test('says so when no draft is served', async () => {
    await using root = await temporaryFolder();
    const { manifest } = await bakeExample(root.path);
    const plain = (_: string, text: string) => text;
    const none = { ...manifest, measured: { ...manifest.measured!, servedDraft: null } };
    expect(drawPlan(none, plain)).toContain('draft: none is served (none pays), 2 proposed');
    expect(drawPlan({ ...manifest, measured: null }, plain)).toContain('none is served (not measured)');
    expect(drawPlan(none, plain)).not.toContain('skip');
    expect(drawNumbers({ ...manifest, measured: null })).toContain('measured     nothing');
  });

  test('draws scores below zero and equal scores', async () => {
    await using root = await temporaryFolder();
    const { manifest } = await bakeExample(root.path);
    const plain = (_: string, text: string) => text;
    const withScores = (scores: number[]) => ({
      ...manifest,
      scores: {
        ...manifest.scores,
        units: manifest.scores.units.map(({ name }, index) => ({ name, score: scores[index]! })),
      },
    });
    expect(drawPlan(withScores([-1, 0, 1, 3]), plain)).toContain(`${'█'.repeat(16)}  3.00`);
    expect(drawPlan(withScores([0, 0, 0, 0]), plain)).toContain(`█${'·'.repeat(15)}  0.00`);
  });

  test('says what it has verified, with and without --full, and finds a changed weight with it alone', async () => {
    await using root = await temporaryFolder();
    const { dir } = await bakeExample(root.path);
    expect(runSdfp(['inspect', dir]).stdout).toContain(
      'verified     6 files: all sizes and the hashes of 5 small ones match; --full compares the rest\n',
    );
    expect(runSdfp(['inspect', dir, '--full']).stdout).toContain(
      'verified     all 6 files: sizes and hashes match\n',
    );
    const weights = join(dir, 'model.safetensors');
    writeFileSync(weights, readFileSync(weights).fill(1, 1000, 1001));
    expect(runSdfp(['inspect', dir]).status).toBe(0);
    const { status, stderr } = runSdfp(['inspect', dir, '--full']);
    expect([status, stderr]).toEqual([3, expect.stringMatching(/model\.safetensors has SHA-256/)]);
  });

  test('--json prints the manifest', async () => {
    await using root = await temporaryFolder();
    const { dir, manifest } = await bakeExample(root.path);
    const printed = JSON.parse(runSdfp(['inspect', dir, '--json']).stdout);
    expect(printed).toEqual(manifestToWire(manifest));
    expect(v.parse(ManifestSchema, printed)).toEqual(manifest);
  });

  test('--schema prints the JSON Schema and needs no artifact', () => {
    expect(JSON.parse(runSdfp(['inspect', '--schema']).stdout)).toEqual(manifestJsonSchema());
    expect(runSdfp(['inspect']).stderr).toBe('sdfp inspect: missing required positional argument: DIR\n');
  });
});
