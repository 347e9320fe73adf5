import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Artifact, openArtifact } from '../src/artifact/index.ts';
import { type BakeOptions, bake } from '../src/bake.ts';
import { readTarget } from '../src/cli/model.ts';
import { drawNumbers } from '../src/cli/picture.ts';
import { evaluateSequences } from '../src/fit/index.ts';
import { readModelFolder } from '../src/hf/index.ts';
import { readSafetensorsHeader } from '../src/hf/safetensors.ts';
import { TARGET_WEIGHTS_FILE } from '../src/lib/model-files.ts';
import { roundedFolder } from '../src/quant/index.ts';
import { runSdfp } from './cli/run.ts';
import { readGolden } from './golden/models.ts';
import { copyModel, removeFolders } from './hf/scratch.ts';

const MODEL = 'llama2-sharded-bf16';
const folder = mkdtempSync(join(tmpdir(), 'sdfp-bake-int4-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterAll(removeFolders);

const ids = join(folder, 'ids.json');
const sequences = readGolden(MODEL).fisher.sequences.map((sequence) => sequence.ids);
writeFileSync(ids, JSON.stringify(sequences));

function build(modelDir: string, name: string, options: Partial<BakeOptions> = {}): Promise<Artifact> {
  const outDir = name === '.' ? modelDir : join(folder, name);
  return bake({ modelDir, outDir, name: 'tiny', report: false, targetPrecision: 'int4', ...options });
}

describe('an artifact whose target is of int4', () => {
  const model = copyModel(MODEL);
  let artifact: Artifact;
  beforeAll(async () => {
    artifact = await build(model, 'first', { report: true, method: 'last', keep: 1 });
  }, 120_000);

  test('goes without the weights file of the model, products at 4 bits, and opens without its folder', async () => {
    const { dir, manifest } = artifact;
    expect(readdirSync(dir).filter((name) => name.includes('safetensors'))).toEqual([TARGET_WEIGHTS_FILE]);
    const { manifest: opened } = await openArtifact(dir, { verify: 'full' });
    expect(opened).toEqual(manifest);
    expect(opened.files.find(({ name }) => name === TARGET_WEIGHTS_FILE)!.role).toBe('weights');
    const entries = await readSafetensorsHeader(dir, TARGET_WEIGHTS_FILE);
    const kept = entries.filter(({ dtype }) => dtype !== 'U8').map(({ name }) => name);
    expect(kept).toContain('model.embed_tokens.weight');
    expect(kept.filter((name) => name.includes('_proj.weight'))).toEqual([]);
    const stored = readdirSync(model).filter((name) => name.endsWith('.safetensors'));
    expect(stored.length).toBeGreaterThan(1);
  });

  test('serves a draft of the same weights, which needs no memory', () => {
    const [draft, ...others] = artifact.manifest.drafts;
    expect(others).toEqual([]);
    expect(draft).toMatchObject({ name: 'a8', dropped: [], int8: [], head: 'int4', extraBytes: 0 });
    expect(draft!.int4).toHaveLength(12);
    expect(artifact.manifest.measured!.acceptanceRate).toBeGreaterThan(0.8);
  });

  test('says what rounding has changed, in manifest, report and on the terminal', () => {
    const { target, calibration } = artifact.manifest;
    const { loss, precision } = target;
    expect(precision).toBe('int4');
    expect(loss!.sequences).toBe(6);
    expect(loss!.tokens).toBeGreaterThan(6 * 8);
    expect(loss!.nllPerToken).not.toBe(loss!.storedNllPerToken);
    expect(Math.abs(loss!.nllPerToken / loss!.storedNllPerToken - 1)).toBeLessThan(0.5);
    expect(loss!.agreement).toBeGreaterThan(0.5);
    expect(loss!.agreement).toBeLessThan(1);
    expect(calibration.source).toBe('self');
    const share = `${(100 * loss!.agreement).toFixed(1)}% of positions`;
    expect(drawNumbers(artifact.manifest)).toContain(
      `target       int4: ${loss!.nllPerToken.toFixed(4)} nats per token (as stored ${loss!.storedNllPerToken.toFixed(4)}), the same most likely token at ${share}`,
    );
    const [page, short] = ['report.html', 'report.md'].map((name) =>
      readFileSync(join(artifact.dir, name), 'utf8'),
    );
    for (const text of [page, short]) {
      expect(text).toContain('Rounding of the model');
      expect(text).toContain(share);
      expect(text).toContain('with weights rounded to 4 bits');
    }
    expect(page).toContain('both with the weights as stored');
    expect(page).toContain('8-bit activations');
    expect(page).not.toMatch(/NaN|undefined|4-bit weights/);
    expect(short).toContain('--target-precision | int4');
  });

  test('sdfp eval measures the model that it serves', async () => {
    const { stdout, status } = runSdfp(['eval', artifact.dir, '--ids', ids, '--json']);
    expect(status).toBe(0);
    const stored = await readModelFolder(model);
    const expected = await evaluateSequences(roundedFolder(stored, artifact.dir), sequences);
    const original = await evaluateSequences(stored, sequences);
    expect(JSON.parse(stdout).nll_sum).toBeCloseTo(expected.nllSum, 2);
    expect(Math.abs(expected.nllSum - original.nllSum)).toBeGreaterThan(0.1);
    const dropped = runSdfp(['eval', artifact.dir, '--ids', ids, '--drop', '1', '--json']);
    expect(JSON.parse(dropped.stdout).agreement).toBeLessThan(1);
  });

  test('sdfp generate gives one text with the draft and without', () => {
    const flags = [
      '--prompt-ids',
      '5,6,7',
      '--max-tokens',
      '40',
      '--temperature',
      '0.8',
      '--seed',
      '9',
      '--json',
    ];
    const textOf = (...more: string[]) => {
      const { stdout, status, stderr } = runSdfp(['generate', artifact.dir, ...flags, ...more]);
      expect([status, stderr]).toEqual([0, '']);
      return JSON.parse(stdout);
    };
    const plain = textOf('--no-speculation');
    const drafted = textOf('--draft-tokens', '4');
    expect(drafted.metrics.speculative_decoding.num_draft_tokens).toBeGreaterThan(10);
    expect(drafted.ids).toEqual(plain.ids);
  });

  test.each([
    ['build', ['--out', join(folder, 'again')]],
    ['score', ['--ids', ids]],
  ])('sdfp %s on it says that the weights as stored are missing', (command, flags) => {
    const { stderr, status } = runSdfp([command, artifact.dir, ...flags]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/found target\.int4\.safetensors, .* without the original ones; needed are those/);
  });

  test('sdfp build refuses a precision that it does not have', () => {
    const { stderr, status } = runSdfp(['build', model, '--target-precision', 'int8']);
    expect([status, stderr]).toEqual([2, 'sdfp build: --target-precision is "int8", needs stored or int4\n']);
  });

  test('is the same again, in place too, where the weights as stored stay', async () => {
    const quick = { method: 'last', keep: 0.5 } as const;
    const before = readdirSync(model).sort();
    await build(model, '.', quick);
    const { manifest } = await openArtifact(model, { verify: 'full' });
    expect(readdirSync(model)).toEqual(expect.arrayContaining(before));
    expect(manifest.files.filter(({ name }) => /^model.*safetensors/.test(name))).toEqual([]);
    const weightsOf = ({ files }: Artifact['manifest']) => files.find(({ role }) => role === 'weights');
    expect(weightsOf(manifest)).toEqual(weightsOf(artifact.manifest)!);
    expect(manifest.target).toEqual(artifact.manifest.target);
    await build(model, '.', { ...quick, targetPrecision: 'stored', draftMemoryBytes: 0 });
    expect(readdirSync(model)).not.toContain(TARGET_WEIGHTS_FILE);
    expect((await openArtifact(model, { verify: 'full' })).manifest.target).toEqual({
      precision: 'stored',
      loss: null,
    });
    expect((await readTarget(artifact.dir)).precision).toBe('int4');
    cpSync(join(artifact.dir, TARGET_WEIGHTS_FILE), join(model, TARGET_WEIGHTS_FILE));
    expect((await readTarget(model)).precision).toBeUndefined();
  }, 120_000);
});
