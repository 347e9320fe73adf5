import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArtifactParts, EXTRA_MARK, openArtifact, writeArtifact } from '../../src/artifact/index.ts';
import { exampleParts, temporaryFolder } from './example.ts';

/** The example with a report that says `text` and the model's name. */
function withReport(parts: ArtifactParts, text: string): ArtifactParts {
  return {
    ...parts,
    extras: async ({ name, files }) => [
      { name: 'report.md', bytes: Buffer.from(`<!-- ${EXTRA_MARK} -->${text} ${name} ${files.length}`) },
    ],
  };
}

describe('extra files of writeArtifact()', () => {
  test('are made from the manifest, lie beside it, and are no part of it', async () => {
    await using root = await temporaryFolder();
    const dir = join(root.path, 'artifact');
    const parts = await exampleParts(join(root.path, 'model'));
    const { manifest } = await writeArtifact(dir, withReport(parts, 'first'));
    expect(readFileSync(join(dir, 'report.md'), 'utf8')).toEndWith(`first example ${manifest.files.length}`);
    expect(manifest.files.map(({ name }) => name)).not.toContain('report.md');
    expect((await openArtifact(dir, { verify: 'full' })).manifest).toEqual(manifest);
  });

  test('may be edited, and are replaced by the next build or go with it', async () => {
    await using root = await temporaryFolder();
    const dir = join(root.path, 'artifact');
    const parts = await exampleParts(join(root.path, 'model'));
    await writeArtifact(dir, withReport(parts, 'first'));
    await writeFile(join(dir, 'report.md'), `<!-- ${EXTRA_MARK} --> edited`);
    await openArtifact(dir, { verify: 'full' });
    await writeArtifact(dir, withReport(parts, 'second'));
    expect(readFileSync(join(dir, 'report.md'), 'utf8')).toContain('second');
    await writeArtifact(dir, parts);
    expect(existsSync(join(dir, 'report.md'))).toBe(false);
  });

  test('of the same name that somebody else wrote are not lost', async () => {
    await using root = await temporaryFolder();
    const dir = join(root.path, 'artifact');
    const parts = await exampleParts(join(root.path, 'model'));
    await writeArtifact(dir, parts);
    await writeFile(join(dir, 'report.md'), 'mine');
    const refused = await writeArtifact(dir, withReport(parts, 'second')).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('report.md') });
    expect(readFileSync(join(dir, 'report.md'), 'utf8')).toBe('mine');
  });

  test('in the model folder itself: replaced, removed when outdated, and refused where they are foreign', async () => {
    await using root = await temporaryFolder();
    const model = join(root.path, 'model');
    const parts = await exampleParts(model);
    await writeFile(join(model, 'report.md'), 'mine');
    const refused = await writeArtifact(model, withReport(parts, 'first')).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('report.md') });
    expect(readdirSync(model).sort()).toEqual(['config.json', 'extra', 'model.safetensors', 'report.md']);
    await writeArtifact(model, parts);
    expect(readFileSync(join(model, 'report.md'), 'utf8')).toBe('mine');

    await writeFile(join(model, 'report.md'), `<!-- ${EXTRA_MARK} -->`);
    await writeArtifact(model, withReport(parts, 'second'));
    expect(readFileSync(join(model, 'report.md'), 'utf8')).toContain('second');
    await openArtifact(model, { verify: 'full' });
    await writeArtifact(model, parts);
    expect(existsSync(join(model, 'report.md'))).toBe(false);
  });
});
