import { expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { buildPage } from '../../src/playground/build.ts';

test('page.js is what build.ts makes of page.ts (bun src/playground/build.ts makes it anew)', async () => {
  const committed = await readFile(new URL('../../src/playground/page.js', import.meta.url), 'utf8');
  expect(committed === (await buildPage())).toBe(true);
});
