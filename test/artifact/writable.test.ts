import { describe, expect, test } from 'bun:test';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { prepareDestination, writingTo } from '../../src/artifact/writable.ts';
import { SdfpError } from '../../src/lib/errors.ts';
import { temporaryFolder } from './example.ts';

/** A failed call as Node reports it. */
function systemError(code: string, path?: string): Error {
  const error = Object.assign(new Error(`${code}: as the system says`), { code, syscall: 'open' });
  return path === undefined ? error : Object.assign(error, { path });
}

describe('prepareDestination()', () => {
  test('tries the place and leaves nothing there', async () => {
    await using root = await temporaryFolder();
    const model = join(root.path, 'model');
    await mkdir(model);
    expect(await prepareDestination(join(root.path, 'new'), model)).toMatchObject({ kind: 'new' });
    expect(await prepareDestination(model, model)).toMatchObject({ kind: 'in-place' });
    expect([await readdir(root.path), await readdir(model)]).toEqual([['model'], []]);
  });

  test('refuses a path through a file, and one that is a file', async () => {
    await using root = await temporaryFolder();
    const model = join(root.path, 'model');
    await mkdir(model);
    await writeFile(join(root.path, 'file'), 'mine');
    for (const out of ['file', 'file/artifact', 'file/deep/artifact']) {
      await expect(prepareDestination(join(root.path, out), model)).rejects.toMatchObject({
        code: 'invalid_request',
        param: 'out',
        message: expect.stringMatching(
          /^Cannot write the artifact to .*file.*: .*file.*; choose another folder$|something of that name/,
        ),
      });
    }
    expect(await readFile(join(root.path, 'file'), 'utf8')).toBe('mine');
  });

  // Root may write anywhere.
  test.skipIf(process.getuid?.() === 0)('refuses a folder that may not be written to', async () => {
    await using root = await temporaryFolder();
    const model = join(root.path, 'model');
    await mkdir(model);
    await mkdir(join(root.path, 'locked'), { mode: 0o555 });
    await expect(prepareDestination(join(root.path, 'locked/artifact'), model)).rejects.toThrow(
      /permission denied \(EACCES\)/,
    );
    await chmod(join(root.path, 'locked'), 0o755);
  });

  test('refuses links that lead in a circle', async () => {
    await using root = await temporaryFolder();
    const model = join(root.path, 'model');
    await mkdir(model);
    await symlink('b', join(root.path, 'a'));
    await symlink('a', join(root.path, 'b'));
    await expect(prepareDestination(join(root.path, 'a/artifact'), model)).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('writingTo()', () => {
  test.each([
    ['EACCES', 'permission denied (EACCES)'],
    ['EROFS', 'the file system is read-only (EROFS)'],
    ['ENOSPC', 'no space is left on the disk (ENOSPC)'],
    ['EDQUOT', 'the disk quota is used up (EDQUOT)'],
  ])('says what %s means, and where', async (code, words) => {
    const cause = systemError(code, '/disk/x');
    const refused = writingTo('/disk/out', () => Promise.reject(cause));
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_request',
      message: `Cannot write the artifact to /disk/out: ${words}, at /disk/x; choose another folder`,
      cause,
    });
  });

  test('gives the result, and lets every other failure pass', async () => {
    expect(await writingTo('out', async () => 7)).toBe(7);
    for (const error of [systemError('ENOENT'), new SdfpError('invalid_request', 'no'), new Error('odd')]) {
      await expect(writingTo('out', () => Promise.reject(error))).rejects.toBe(error);
    }
  });
});
