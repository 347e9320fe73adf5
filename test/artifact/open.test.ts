import { describe, expect, test } from 'bun:test';
import { appendFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SCHEMA_VERSION } from '../../src/artifact/manifest.ts';
import { openArtifact, type VerifyMode } from '../../src/artifact/open.ts';
import { writeArtifact } from '../../src/artifact/write.ts';
import { isSdfpError, type SdfpError } from '../../src/lib/errors.ts';
import { exampleParts, temporaryFolder } from './example.ts';

/** Bakes the example, lets `damage` change it, and returns the error of opening it. */
async function openDamaged(
  damage: (dir: string) => Promise<void>,
  verify: VerifyMode = 'full',
): Promise<SdfpError> {
  await using root = await temporaryFolder();
  const dir = join(root.path, 'artifact');
  await writeArtifact(dir, await exampleParts(join(root.path, 'model')), { copy: true });
  await damage(dir);
  const error: unknown = await openArtifact(dir, { verify }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isSdfpError(error)) throw new Error('the damaged artifact was opened', { cause: error });
  return error;
}

async function editManifest(dir: string, edit: (text: string) => string): Promise<void> {
  const path = join(dir, 'manifest.json');
  await writeFile(path, edit(await readFile(path, 'utf8')));
}

describe('openArtifact()', () => {
  test('opens what writeArtifact() wrote, in both modes', async () => {
    await using root = await temporaryFolder();
    const dir = join(root.path, 'artifact');
    const written = await writeArtifact(dir, await exampleParts(join(root.path, 'model')));
    expect(await openArtifact(dir, { verify: 'full' })).toEqual(written);
    expect(await openArtifact(dir, { verify: 'fast' })).toEqual(written);
  });

  const flip = (name: string) => async (dir: string) => {
    const bytes = await readFile(join(dir, name));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(dir, name), bytes);
  };

  test.each(['config.json', 'graph.onnx', 'extra/template.jinja'])(
    'refuses one flipped bit of %s in both modes',
    async (name) => {
      for (const verify of ['full', 'fast'] as const) {
        const error = await openDamaged(flip(name), verify);
        expect(error.code).toBe('artifact_mismatch');
        expect(error.message).toContain(`${name} has SHA-256`);
      }
    },
  );

  test('refuses one flipped bit of a large file in the full mode', async () => {
    const error = await openDamaged(flip('model.safetensors'));
    expect([error.code, error.message]).toEqual([
      'artifact_mismatch',
      expect.stringContaining('model.safetensors'),
    ]);
  });

  test.each(['full', 'fast'] as const)(
    'refuses a cut or longer weight file by its size (%s)',
    async (verify) => {
      const cut = await openDamaged((dir) => truncate(join(dir, 'model.safetensors'), 1000), verify);
      expect(cut.message).toContain('model.safetensors has 1000 bytes, the manifest says 1200000');
      expect((await openDamaged((dir) => appendFile(join(dir, 'model.safetensors'), 'x'), verify)).code).toBe(
        'artifact_mismatch',
      );
    },
  );

  test.each(['config.json', 'graph.onnx', 'model.safetensors'])(
    'refuses when %s is missing',
    async (name) => {
      const error = await openDamaged((dir) => rm(join(dir, name)), 'fast');
      expect([error.code, error.message]).toEqual([
        'artifact_unreadable',
        expect.stringContaining(`${name} is missing`),
      ]);
    },
  );

  test('refuses a folder in the place of a file, and a dangling link', async () => {
    const folder = await openDamaged(async (dir) => {
      await rm(join(dir, 'config.json'));
      await mkdir(join(dir, 'config.json'));
    });
    expect(folder.message).toContain('config.json is not a file');
    const dangling = await openDamaged(async (dir) => {
      await rm(join(dir, 'config.json'));
      await symlink('nowhere', join(dir, 'config.json'));
    });
    expect(dangling.message).toContain('config.json is missing');
  });

  test.each(['chat_template.jinja', 'tokenizer_config.json', 'generation_config.json'])(
    'refuses a %s that was added after the build, as a file or a link, in both modes',
    async (name) => {
      for (const verify of ['full', 'fast'] as const) {
        const added = await openDamaged((dir) => writeFile(join(dir, name), '{}'), verify);
        expect([added.code, added.message]).toEqual([
          'artifact_mismatch',
          expect.stringContaining(`${name} is there, the manifest does not list it`),
        ]);
        const linked = await openDamaged((dir) => symlink('config.json', join(dir, name)), verify);
        expect(linked.code).toBe('artifact_mismatch');
      }
    },
  );

  test('lets files lie that no reader looks at', async () => {
    await using root = await temporaryFolder();
    const dir = join(root.path, 'artifact');
    await writeArtifact(dir, await exampleParts(join(root.path, 'model')));
    await writeFile(join(dir, 'README.md'), 'mine');
    await symlink('nowhere', join(dir, 'chat_template.jinja'));
    await openArtifact(dir, { verify: 'full' });
  });

  test('refuses a newer schema before it looks at anything else', async () => {
    const error = await openDamaged((dir) =>
      editManifest(
        dir,
        () => `{"schema_version": ${SCHEMA_VERSION + 1}, "sdfp_version": "9.9.9", "what": 1}`,
      ),
    );
    expect(error.code).toBe('artifact_too_new');
    expect(error.message).toContain(
      `schema version is ${SCHEMA_VERSION + 1} (written by sdfp 9.9.9), this sdfp reads ${SCHEMA_VERSION}; update sdfp`,
    );
  });

  const garbage: [string, (text: string) => string, RegExp][] = [
    [
      'an older schema',
      (text) =>
        text.replace(`"schema_version": ${SCHEMA_VERSION}`, `"schema_version": ${SCHEMA_VERSION - 1}`),
      /bake the artifact again/,
    ],
    ['a cut manifest', (text) => text.slice(0, text.length / 2), /no JSON/],
    ['an empty manifest', () => '', /no JSON/],
    ['null', () => 'null', /no schema_version/],
    ['a list', () => '[1]', /no schema_version/],
    ['an unknown key', (text) => text.replace('"name":', '"nome": 1, "name":'), /at nome/],
    ['a wrong type', (text) => text.replace('"num_layers": 2', '"num_layers": "2"'), /at model.num_layers/],
    [
      'a path out of the folder',
      (text) => text.replace('"config.json"', '"../model/config.json"'),
      /at files.0.name/,
    ],
    ['an absolute path', (text) => text.replace('"config.json"', '"/etc/hostname"'), /at files.0.name/],
  ];
  test.each(garbage)('refuses %s in the manifest', async (_, edit, message) => {
    const error = await openDamaged((dir) => editManifest(dir, edit));
    expect(error.code).toBe('artifact_unreadable');
    expect(error.message).toMatch(message);
    expect(error.message).toContain('manifest.json');
  });

  test('says how to bake a bare model folder', async () => {
    await using root = await temporaryFolder();
    await writeFile(join(root.path, 'config.json'), '{}');
    const opening = openArtifact(root.path, { verify: 'fast' });
    await expect(opening).rejects.toThrow(/model folder that is not baked yet; run sdfp build/);
  });

  test('tells a missing folder from an empty one', async () => {
    await using root = await temporaryFolder();
    await expect(openArtifact(join(root.path, 'none'), { verify: 'fast' })).rejects.toThrow(/no such folder/);
    await expect(openArtifact(root.path, { verify: 'fast' })).rejects.toThrow(/manifest.json cannot be read/);
  });
});
