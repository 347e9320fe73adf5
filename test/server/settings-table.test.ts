import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listSettings } from '../../src/server/settings.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const MARKERS = /(<!-- settings: .* -->\n)[\s\S]*?(<!-- \/settings -->)/;

/** `UPDATE_README=1 bun test test/server/settings-table.test.ts` writes it. */
test('the table of settings in the README is that of the schema', () => {
  const rows = listSettings().map(
    ({ variable, flag, description, fallback = '' }) =>
      `| \`${variable}\` | \`--${flag}\` | ${description} | ${fallback} |`,
  );
  const table = ['| variable | flag | meaning | default |', '|---|---|---|---|', ...rows].join('\n');
  const readme = readFileSync(README, 'utf8');
  const wanted = readme.replace(MARKERS, (_, start, end) => `${start}\n${table}\n\n${end}`);
  if (process.env.UPDATE_README === '1') writeFileSync(README, wanted);
  expect(readme).toMatch(MARKERS);
  expect(readFileSync(README, 'utf8')).toBe(wanted);
});
