import { describe, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { openArtifact } from '../../src/artifact/open.ts';
import { writeArtifact } from '../../src/artifact/write.ts';
import { exampleContent, exampleGraphs, exampleParts, temporaryFolder } from './example.ts';

async function readTree(dir: string): Promise<Record<string, string>> {
  const names = (await readdir(dir, { recursive: true })).sort();
  const files: Record<string, string> = {};
  for (const name of names) {
    if ((await stat(join(dir, name))).isFile())
      files[name] = (await readFile(join(dir, name))).toString('base64');
  }
  return files;
}

async function inode(path: string): Promise<number> {
  return (await stat(path)).ino;
}

describe('writeArtifact()', () => {
  test('holds the original files, the graph and the manifest, and leaves nothing else', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const { manifest } = await writeArtifact(join(root.path, 'deep/er/artifact'), parts);
    const tree = await readTree(join(root.path, 'deep/er/artifact'));
    expect(Object.keys(tree)).toEqual([
      'config.json',
      'extra/template.jinja',
      'graph.drop-1.onnx',
      'graph.drop-2.onnx',
      'graph.onnx',
      'manifest.json',
      'model.safetensors',
    ]);
    expect(await readdir(join(root.path, 'deep/er'))).toEqual(['artifact']);
    expect(manifest.files.map(({ name, role, checkedFast }) => [name, role, checkedFast])).toEqual([
      ['config.json', 'source', true],
      ['extra/template.jinja', 'source', true],
      ['model.safetensors', 'source', false],
      ['graph.onnx', 'graph', true],
      ['graph.drop-1.onnx', 'graph', true],
      ['graph.drop-2.onnx', 'graph', true],
    ]);
  });

  test('links by default and copies when asked', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const original = await inode(join(root.path, 'model/model.safetensors'));
    const linked = await writeArtifact(join(root.path, 'linked'), parts);
    const copied = await writeArtifact(join(root.path, 'copied'), parts, { copy: true });
    expect(await inode(join(linked.dir, 'model.safetensors'))).toBe(original);
    expect(await inode(join(copied.dir, 'model.safetensors'))).not.toBe(original);
    expect(await readTree(copied.dir)).toEqual(await readTree(linked.dir));
  });

  test('follows the symbolic links of a Hugging Face cache', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'snapshot'));
    await rename(join(root.path, 'snapshot/config.json'), join(root.path, 'blob'));
    await symlink('../blob', join(root.path, 'snapshot/config.json'));
    const { dir } = await writeArtifact(join(root.path, 'artifact'), parts);
    await openArtifact(dir, { verify: 'full' });
    expect(await inode(join(dir, 'config.json'))).toBe(await inode(join(root.path, 'blob')));
  });

  test('writes the same bytes for the same inputs, apart from `measured`', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const other = { ...exampleContent.measured!, date: '2027-01-01T00:00:00.000Z', plainTokensPerSecond: 1 };
    const first = await writeArtifact(join(root.path, 'a'), parts);
    const second = await writeArtifact(join(root.path, 'b'), {
      ...parts,
      sourceFiles: [...parts.sourceFiles].reverse(),
      content: { ...exampleContent, measured: other },
    });
    const [a, b] = [await readTree(first.dir), await readTree(second.dir)];
    const beforeMeasured = (tree: Record<string, string>) =>
      Buffer.from(tree['manifest.json'] ?? '', 'base64')
        .toString()
        .split('"measured"')[0];
    expect(beforeMeasured(a)).toBe(beforeMeasured(b)!);
    expect({ ...a, 'manifest.json': '' }).toEqual({ ...b, 'manifest.json': '' });
    expect(a).not.toEqual(b);
  });

  test('replaces an older artifact, files that it no longer has included', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const dir = join(root.path, 'artifact');
    await writeArtifact(dir, parts);
    await writeArtifact(dir, {
      ...parts,
      sourceFiles: ['config.json', 'model.safetensors'],
      graphs: exampleGraphs(5),
    });
    expect(Object.keys(await readTree(dir))).toEqual([
      'config.json',
      'graph.drop-1.onnx',
      'graph.drop-2.onnx',
      'graph.onnx',
      'manifest.json',
      'model.safetensors',
    ]);
    expect((await readdir(root.path)).sort()).toEqual(['artifact', 'model']);
    await openArtifact(dir, { verify: 'full' });
  });

  test('bakes into the model folder itself, and again, and keeps what else is there', async () => {
    await using root = await temporaryFolder();
    const model = join(root.path, 'model');
    const parts = await exampleParts(model);
    await writeFile(join(model, 'README.md'), 'mine');
    const before = await inode(join(model, 'model.safetensors'));
    await writeArtifact(model, parts);
    await symlink('model', join(root.path, 'alias'));
    await writeArtifact(join(root.path, 'alias'), {
      ...parts,
      graphs: exampleGraphs(4).slice(0, 2),
      content: { ...exampleContent, drafts: exampleContent.drafts.slice(0, 1) },
    });
    const { manifest } = await openArtifact(model, { verify: 'full' });
    expect(manifest.drafts.map(({ graph }) => graph)).toEqual(['graph.drop-1.onnx']);
    expect(await inode(join(model, 'model.safetensors'))).toBe(before);
    expect((await readdir(model)).sort()).toEqual([
      'README.md',
      'config.json',
      'extra',
      'graph.drop-1.onnx',
      'graph.onnx',
      'manifest.json',
      'model.safetensors',
    ]);
  });
});

describe('writeArtifact() over an artifact of an older schema', () => {
  /** Bakes, then makes the manifest one of version 2, which this version cannot open, with rounded weights. */
  async function outdate(dir: string): Promise<void> {
    const path = join(dir, 'manifest.json');
    const { schema_version: _, target: __, files, ...rest } = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(join(dir, 'draft.int8.safetensors'), 'rounded');
    const weights = { name: 'draft.int8.safetensors', role: 'weights', bytes: 7 };
    const old = { ...rest, schema_version: 2, files: [...files, weights] };
    await writeFile(path, JSON.stringify(old));
  }

  test.each(['model', 'artifact'])('leaves none of its graphs and weights in the folder %p', async (name) => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const dir = join(root.path, name);
    await writeArtifact(dir, parts);
    await outdate(dir);
    await writeArtifact(dir, {
      ...parts,
      graphs: exampleGraphs(4).slice(0, 2),
      content: { ...exampleContent, drafts: exampleContent.drafts.slice(0, 1) },
    });
    expect(Object.keys(await readTree(dir))).toEqual([
      'config.json',
      'extra/template.jinja',
      'graph.drop-1.onnx',
      'graph.onnx',
      'manifest.json',
      'model.safetensors',
    ]);
    await openArtifact(dir, { verify: 'full' });
  });

  test('removes nothing outside of the folder, and no file of the model', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    await writeFile(join(root.path, 'mine'), 'mine');
    const path = join(parts.modelDir, 'manifest.json');
    for (const name of ['../mine', 'model.safetensors']) {
      await writeFile(path, JSON.stringify({ schema_version: 2, files: [{ name, role: 'graph' }] }));
      await writeArtifact(parts.modelDir, parts);
      await openArtifact(parts.modelDir, { verify: 'full' });
    }
    expect(existsSync(join(root.path, 'mine'))).toBe(true);
  });
});

describe('writeArtifact() refuses to lose things', () => {
  test('a folder that is no artifact', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    await mkdir(join(root.path, 'thesis'));
    await writeFile(join(root.path, 'thesis/chapter1.txt'), 'years of work');
    await expect(writeArtifact(join(root.path, 'thesis'), parts)).rejects.toThrow(
      /not empty and no artifact/,
    );
    expect(await readTree(join(root.path, 'thesis'))).toEqual({
      'chapter1.txt': Buffer.from('years of work').toString('base64'),
    });
    await expect(writeArtifact(join(root.path, 'thesis/chapter1.txt'), parts)).rejects.toThrow(
      /a file of that name/,
    );
  });

  test('an artifact that somebody put a file into', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const { dir } = await writeArtifact(join(root.path, 'artifact'), parts);
    await writeFile(join(dir, 'extra/notes.txt'), 'mine');
    await expect(writeArtifact(dir, parts)).rejects.toThrow(/also holds extra\/notes.txt/);
    await openArtifact(dir, { verify: 'full' });
  });

  test('the folder around the model', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    await expect(writeArtifact(root.path, parts)).rejects.toThrow(/model folder lies inside it/);
    expect(Object.keys(await readTree(join(root.path, 'model')))).toHaveLength(3);
  });

  test('an empty folder is fine', async () => {
    await using root = await temporaryFolder();
    await mkdir(join(root.path, 'artifact'));
    await writeArtifact(join(root.path, 'artifact'), await exampleParts(join(root.path, 'model')));
    await openArtifact(join(root.path, 'artifact'), { verify: 'fast' });
  });
});

describe('writeArtifact() interrupted', () => {
  test('a failure leaves the older artifact and no temporary', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const { dir } = await writeArtifact(join(root.path, 'artifact'), parts);
    const before = await readTree(dir);
    await expect(
      writeArtifact(dir, { ...parts, sourceFiles: ['config.json', 'missing.bin'] }),
    ).rejects.toThrow(/ENOENT/);
    const cancelled = { signal: AbortSignal.abort(new Error('stopped')) };
    await expect(writeArtifact(dir, parts, cancelled)).rejects.toThrow('stopped');
    await expect(writeArtifact(parts.modelDir, parts, cancelled)).rejects.toThrow('stopped');
    expect(await readTree(dir)).toEqual(before);
    expect((await readdir(root.path)).sort()).toEqual(['artifact', 'model']);
    expect(Object.keys(await readTree(parts.modelDir))).toHaveLength(3);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    '%s half-way leaves the older artifact, and the next build clears the rest',
    async (signal) => {
      await using root = await temporaryFolder();
      const parts = await exampleParts(join(root.path, 'model'));
      const dir = join(root.path, 'artifact');
      await writeArtifact(dir, parts);
      const before = await readTree(dir);
      // A pipe that nobody writes to: the build links it, then waits for ever while it hashes.
      expect(spawnSync('mkfifo', [join(parts.modelDir, 'pipe')]).status).toBe(0);
      const script = new URL('write-child.ts', import.meta.url).pathname;
      const child = spawn(process.execPath, [script, parts.modelDir, dir, 'config.json', 'pipe'], {
        stdio: 'inherit',
      });
      const ended = once(child, 'exit');
      await waitUntil(async () => {
        const hidden = (await readdir(root.path)).find((name) => name.startsWith('.artifact.sdfp-'));
        return hidden !== undefined && existsSync(join(root.path, hidden, 'graph.onnx'));
      });
      child.kill(signal);
      await ended;
      expect(await readTree(dir)).toEqual(before);
      expect((await readdir(root.path)).filter((name) => name.endsWith('.tmp'))).toHaveLength(1);

      await writeArtifact(dir, parts);
      expect((await readdir(root.path)).sort()).toEqual(['artifact', 'model']);
    },
  );

  test('spares the temporary of a living build', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const living = join(root.path, `.artifact.sdfp-00000000-${process.pid}-00000000.tmp`);
    await mkdir(living);
    await writeArtifact(join(root.path, 'artifact'), parts);
    expect(existsSync(living)).toBe(true);
    const longAgo = new Date(Date.now() - 48 * 3600 * 1000);
    await utimes(living, longAgo, longAgo);
    await writeArtifact(join(root.path, 'artifact'), parts);
    expect(existsSync(living)).toBe(false);
  });

  test('puts back what a kill between the two renames left', async () => {
    await using root = await temporaryFolder();
    const parts = await exampleParts(join(root.path, 'model'));
    const { dir } = await writeArtifact(join(root.path, 'artifact'), parts);
    const before = await readTree(dir);
    const moved = join(root.path, '.artifact.sdfp-00000000-1-00000000.tmp');
    await rename(dir, moved);
    const longAgo = new Date(Date.now() - 48 * 3600 * 1000);
    await utimes(moved, longAgo, longAgo);
    await expect(writeArtifact(dir, { ...parts, sourceFiles: ['missing.bin'] })).rejects.toThrow(/ENOENT/);
    expect(await readTree(dir)).toEqual(before);
  });
});

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('waited 10 seconds in vain');
}
