import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Artifact, openArtifact, servedDraft } from '../src/artifact/index.ts';
import { type BakeOptions, bake } from '../src/bake.ts';
import { describeProcessor } from '../src/lib/processor.ts';
import { goldenDir, STORIES_DIR } from './golden/models.ts';
import { copyModel, LFS_POINTER, removeFolders } from './hf/scratch.ts';

const folder = mkdtempSync(join(tmpdir(), 'sdfp-bake-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterAll(removeFolders);

function build(name: string, options: Partial<BakeOptions> = {}): Promise<Artifact> {
  return bake({
    modelDir: goldenDir('qwen2-tied'),
    outDir: join(folder, name),
    name: 'tiny',
    report: false,
    ...options,
  });
}

/** The file as text, its last section cut off where that is the one that differs from build to build. */
function readBuilt(artifact: string, file: string): string {
  const text = readFileSync(join(folder, artifact, file)).toString('latin1');
  return file === 'manifest.json' ? text.slice(0, text.indexOf('"measured"')) : text;
}

describe('bake()', () => {
  let first: Artifact;
  beforeAll(async () => {
    first = await build('first');
  }, 120_000);

  test('writes an artifact that passes full verification and says what was measured', async () => {
    const { manifest } = await openArtifact(join(folder, 'first'), { verify: 'full' });
    expect(manifest).toEqual(first.manifest);
    const { measured, drafts, scores, calibration } = manifest;
    expect(scores.matrix).toHaveLength(16);
    expect(calibration.sequences).toBeGreaterThanOrEqual(8);
    expect(calibration.tokens).toBeGreaterThan(8 * 8);
    expect(measured?.candidates.map(({ name }) => name).sort()).toEqual(
      drafts.map(({ name }) => name).sort(),
    );
    expect(measured?.plainTokensPerSecond).toBeGreaterThan(10);
    const cores = describeProcessor().cores;
    expect(measured?.threads.skipped === null).toBe(cores > 1);
    const counts = measured?.threads.counts.map(({ threads }) => threads);
    if (cores > 1) expect(counts?.slice(0, 2)).toEqual([null, 1]);
    const served = servedDraft(manifest);
    expect(measured?.chosenBy).toBe(served === undefined ? 'none' : 'speed');
  });

  test('gives the same bytes again but for the measured section', async () => {
    await build('second');
    const files = readdirSync(join(folder, 'first')).sort();
    expect(readdirSync(join(folder, 'second')).sort()).toEqual(files);
    for (const file of files) expect(readBuilt('second', file) === readBuilt('first', file)).toBe(true);
  }, 120_000);

  test('writes a report on what it measured, of a method that reads no text too', async () => {
    const stages = new Set<string>();
    const { dir, manifest } = await build('reported', {
      report: true,
      method: 'last',
      seed: 5,
      keep: 0.5,
      draftMemoryBytes: 0,
      onProgress: ({ stage }) => stages.add(stage),
    });
    expect(stages).toContain('report');
    expect(manifest.files.map(({ name }) => name)).not.toContain('report.html');
    await openArtifact(dir, { verify: 'full' });
    const [page, short] = ['report.html', 'report.md'].map((name) => readFileSync(join(dir, name), 'utf8'));
    for (const label of [
      'Agreement with the target',
      'Tokens per second by draft length',
      'Speed of every candidate',
    ]) {
      expect(page).toContain(`aria-label="${label}`);
    }
    expect(page).toContain('class="example"');
    expect(page).not.toMatch(/NaN|undefined/);
    expect(short).toContain(`| Measured | ${manifest.measured!.date} |`);
    expect(short).toContain('| --seed | 5 |');
    expect(short).toMatch(/^\| fit \| [01]\.\d{3} /m);
    expect(page).not.toContain(folder);
  }, 120_000);

  test('keep decides how much stays, and that draft is served whatever its speed', async () => {
    const { manifest } = await build('half', { keep: 0.5 });
    expect(manifest.drafts.map(({ name }) => name)).toEqual([
      'drop-8',
      'int8-drop-8',
      'int8-drop-8-vocab-128',
      'int4-drop-8',
      'int4-drop-8-vocab-128',
    ]);
    for (const { dropped } of manifest.drafts) expect(dropped).toHaveLength(8);
    expect(servedDraft(manifest)).toBeDefined();
    expect(manifest.measured?.chosenBy).toBe('keep');
  }, 120_000);

  test('keep 1 without memory of its own is plain decoding', async () => {
    const { manifest } = await build('whole', { keep: 1, draftMemoryBytes: 0 });
    expect(manifest.drafts).toEqual([]);
    expect(manifest.measured?.servedDraft).toBeNull();
  }, 120_000);

  test('calibrates on a file, whose hash it notes', async () => {
    const file = join(folder, 'text.txt');
    writeFileSync(
      file,
      Array.from({ length: 40 }, (_, i) => `Line ${i} of a text about trees.\n`).join('\n'),
    );
    const { manifest } = await build('from-file', { calibrationFile: file, keep: 0.75 });
    expect(manifest.calibration).toMatchObject({
      source: 'file',
      fileSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  }, 120_000);

  test('measures drafts that propose the tokens of a narrow text only', async () => {
    const file = join(folder, 'narrow.txt');
    writeFileSync(
      file,
      Array.from({ length: 600 }, (_, i) => `Once upon a time there were ${i % 7} cats.\n`).join('\n'),
    );
    const { dir, manifest } = await build('narrow', {
      calibrationFile: file,
      keep: 1,
    });
    expect(manifest.drafts.map(({ name }) => name)).toEqual([
      'int8',
      'int8-vocab-64',
      'int4',
      'int4-vocab-64',
    ]);
    for (const { name, vocabulary, extraBytes } of manifest.drafts.filter((draft) => draft.vocabulary)) {
      expect(vocabulary).toHaveLength(64);
      expect(vocabulary).toEqual(expect.arrayContaining([...manifest.generation.eosTokenIds]));
      expect(extraBytes).toBeLessThan(
        manifest.drafts.find((draft) => `${draft.name}-vocab-64` === name)!.extraBytes!,
      );
      expect(manifest.measured?.candidates.map((candidate) => candidate.name)).toContain(name);
    }
    const { files } = (await openArtifact(dir, { verify: 'full' })).manifest;
    expect(files.map(({ name }) => name)).toContain('draft.int4.head.64.safetensors');
  }, 120_000);

  test('an abort raises its reason and leaves nothing behind', async () => {
    const before = readdirSync(folder).sort();
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = build('aborted', {
      signal: controller.signal,
      onProgress: ({ stage }) => stage === 'measure' && controller.abort(reason),
    });
    expect(await aborted.catch((error: unknown) => error)).toBe(reason);
    expect(readdirSync(folder).sort()).toEqual(before);
  }, 120_000);

  test('an abort while held-out text is sampled ends within a step of the model', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let abortedMs = Number.NaN;
    const details: string[] = [];
    const aborted = build('aborted', {
      modelDir: STORIES_DIR,
      signal: controller.signal,
      onProgress: ({ stage, detail }) => {
        details.push(`${stage}: ${detail}`);
        if (stage !== 'sample' || !detail.startsWith('1 of 6')) return;
        // In the middle of the second sequence.
        setTimeout(() => {
          abortedMs = performance.now();
          controller.abort(reason);
        }, 50);
      },
    });
    expect(await aborted.catch((error: unknown) => error)).toBe(reason);
    expect(performance.now() - abortedMs).toBeLessThan(500);
    expect(details.at(-1)).toBe('sample: 1 of 6 held-out sequences');
  }, 60_000);

  test.each([
    [
      'a tokenizer that is cut off',
      'tokenizer.json',
      '{"model": {',
      /tokenizer\.json: it is not JSON, or is cut off/,
    ],
    ['a tokenizer that is missing', 'tokenizer.json', null, /tokenizer\.json: there is no such file/],
    [
      'a tokenizer that is a Git LFS pointer',
      'tokenizer.json',
      LFS_POINTER,
      /is a Git LFS pointer.*git lfs pull/,
    ],
    [
      'weights that are a Git LFS pointer',
      'model.safetensors',
      LFS_POINTER,
      /is a Git LFS pointer.*git lfs pull/,
    ],
    ['a place below a file', 'out', 'mine', /Cannot write the artifact to .*out\/artifact: /],
  ])('refuses %s before anything is computed', async (_, file, content, message) => {
    const modelDir = copyModel('qwen2-tied');
    if (content === null) rmSync(join(modelDir, file));
    else writeFileSync(join(modelDir, file), content);
    const stages = new Set<string>();
    const refused = bake({
      modelDir,
      outDir: file === 'out' ? join(modelDir, 'out/artifact') : join(folder, 'refused'),
      onProgress: ({ stage }) => stages.add(stage),
    });
    await expect(refused).rejects.toThrow(message);
    expect([...stages]).toEqual(['read']);
    expect(readdirSync(folder)).not.toContain('refused');
  });

  test('refuses a folder that is no model before it makes anything', async () => {
    const before = readdirSync(folder).sort();
    expect(build('nothing', { modelDir: folder })).rejects.toMatchObject({ code: 'model_unreadable' });
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});
