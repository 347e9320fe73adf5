import { describe, expect, test } from 'bun:test';
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openArtifact } from '../../src/artifact/open.ts';
import { type ArtifactParts, writeArtifact } from '../../src/artifact/write.ts';
import { exampleParts, temporaryFolder } from './example.ts';

const NAME = 'draft.int4.safetensors';

/** The example with a file of rounded weights that lies outside of the model. */
async function withWeights(root: string): Promise<ArtifactParts> {
  const path = join(root, 'built.bin');
  await writeFile(path, new Uint8Array(2000).fill(9));
  return { ...(await exampleParts(join(root, 'model'))), weights: [{ name: NAME, path }] };
}

describe('writeArtifact() with rounded weights', () => {
  test('lists them by role, hash and size', async () => {
    await using root = await temporaryFolder();
    const { dir, manifest } = await writeArtifact(join(root.path, 'artifact'), await withWeights(root.path));
    const listed = manifest.files.find(({ name }) => name === NAME)!;
    expect(listed).toMatchObject({ role: 'weights', bytes: 2000 });
    await openArtifact(dir, { verify: 'full' });
    await truncate(join(dir, NAME), 1999);
    await expect(openArtifact(dir, { verify: 'fast' })).rejects.toThrow(`${NAME} has 1999 bytes`);
  });

  test('into the model folder itself, and out again with a build that has none', async () => {
    await using root = await temporaryFolder();
    const parts = await withWeights(root.path);
    await writeArtifact(parts.modelDir, parts);
    expect(await readdir(parts.modelDir)).toContain(NAME);
    await openArtifact(parts.modelDir, { verify: 'full' });
    await writeArtifact(parts.modelDir, { ...parts, weights: [] });
    expect(await readdir(parts.modelDir)).not.toContain(NAME);
    expect((await readdir(parts.modelDir)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
