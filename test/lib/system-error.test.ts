import { describe, expect, test } from 'bun:test';
import { mkdir, readFile } from 'node:fs/promises';
import { explainSystemError, systemCode } from '../../src/lib/system-error.ts';

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('explainSystemError()', () => {
  test.each([
    [() => readFile('/nowhere/at/all'), 'there is no such file or folder (ENOENT)'],
    [() => readFile(import.meta.dir), 'it is a folder, not a file (EISDIR)'],
    [() => readFile(`${import.meta.path}/x`), 'a part of the path is a file, not a folder (ENOTDIR)'],
    [() => mkdir(import.meta.path), 'there is something of that name already (EEXIST)'],
  ])('says in words what the system has found', async (call, words) => {
    expect(explainSystemError(await failureOf(call()))).toBe(words);
  });

  test('leaves codes that it does not know and other errors as they are', () => {
    const strange = Object.assign(new Error('EBUSY: busy'), { code: 'EBUSY', syscall: 'open' });
    expect(explainSystemError(strange)).toBe('EBUSY: busy');
    expect(explainSystemError('odd')).toBe('odd');
    const own = Object.assign(new Error('no call failed'), { code: 'ENOENT' });
    expect([systemCode(strange), systemCode(own), systemCode(null)]).toEqual(['EBUSY', undefined, undefined]);
  });
});
