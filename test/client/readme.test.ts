import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../runtimes/processes.ts';

// The files are compiled with all others, and the component runs in react.test.ts.
test.each(['vanilla.ts', 'react.tsx'])('the README shows examples/%s as it is', (name) => {
  const example = readFileSync(join(ROOT, 'test/client/examples', name), 'utf8');
  const language = name.split('.').at(-1);
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  expect(readme).toContain(`\`\`\`${language}\n${example}\`\`\`\n`);
});
