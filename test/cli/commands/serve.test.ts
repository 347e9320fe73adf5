import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { ROOT } from '../../runtimes/processes.ts';
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

test('sdfp serve takes its artifact from ARTIFACT, DIR or --artifact, and refuses two that differ', () => {
  const artifact = (args: string[], env: Record<string, string> = {}) =>
    /^ARTIFACT +(.*?) *$/m.exec(runSdfp(['serve', '--print-config', ...args], 'bun', env).stdout)?.[1];
  expect(artifact([], { ARTIFACT: 'mine' })).toMatch(/^environment +mine$/);
  expect(artifact(['dir'], { ARTIFACT: 'mine' })).toMatch(/^--artifact +dir$/);
  expect(artifact([])).toMatch(/^default .*artifacts\/stories$/);
  const { status, stderr } = runSdfp(['serve', '--print-config', 'one', '--artifact', 'two']);
  expect(status).toBe(2);
  expect(stderr).toBe('sdfp serve: found the artifacts one and --artifact two, needs one of them\n');
});

test('the start script leaves the artifact to the environment', async () => {
  const { scripts } = await Bun.file(join(ROOT, 'package.json')).json();
  expect(scripts.start).toEndWith('sdfp.mjs serve');
});
