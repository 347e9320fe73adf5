import { expect, test } from 'bun:test';
import { runSdfp } from '../run.ts';

test('sdfp serve --print-config prints values and sources, and serves nothing', () => {
  const { status, stdout } = runSdfp(['serve', '--print-config', '--port', '8123'], 'bun', {
    API_KEY: 'secret',
    MAX_QUEUE: '7',
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^PORT +--port +8123$/m);
  expect(stdout).toMatch(/^MAX_QUEUE +environment +7$/m);
  expect(stdout).toMatch(/^SSE_KEEPALIVE_MS +default +10000$/m);
  expect(stdout).not.toContain('secret');
});

test('sdfp serve --print-config refuses what serving would refuse', () => {
  const { status, stderr } = runSdfp(['serve', '--print-config', '--port', 'x']);
  expect(status).not.toBe(0);
  expect(stderr).toContain('--port');
});
