import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, type Running, startFile } from '../runtimes/processes.ts';

/** Stands in for Bun: notes each install, fails it if there is a file `offline`, and runs `run` until SIGTERM. */
const FAKE_BUN = `#!/bin/sh
case "$1" in
  --version) echo 1.4.5 ;;
  install)
    echo install >> installs
    sleep 0.4
    if [ -e offline ]; then echo "error: ECONNREFUSED downloading hono" >&2; exit 1; fi ;;
  run) trap 'echo stopping; exit 5' TERM; echo running; while :; do sleep 0.05; done ;;
  *) echo "$@"; exit 7 ;;
esac
`;

const LAUNCHER = 'src/cli/with-bun.mjs';

describe('with-bun.mjs in a fresh clone', () => {
  let dir = '';

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sdfp-clone-'));
    mkdirSync(join(dir, 'bin'));
    writeFileSync(join(dir, 'bin/bun'), FAKE_BUN);
    chmodSync(join(dir, 'bin/bun'), 0o755);
    for (const file of ['package.json', 'bun.lock', LAUNCHER]) cpSync(join(ROOT, file), join(dir, file));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function launch(...args: string[]): Running {
    const env = { PATH: `${join(dir, 'bin')}:/usr/bin:/bin` };
    const runtime = { name: 'bun', command: [process.execPath] } as const;
    return startFile(runtime, join(dir, LAUNCHER), args, { cwd: dir, env });
  }

  const countInstalls = () => readFileSync(join(dir, 'installs'), 'utf8').split('\n').length - 1;

  test('installs once, and gives the output and exit status of the command', async () => {
    for (const _ of [1, 2]) {
      const { status, stdout } = await launch('test', 'some.test.ts').finished;
      expect({ status, stdout }).toEqual({ status: 7, stdout: 'test some.test.ts\n' });
    }
    expect(countInstalls()).toBe(1);
  });

  test('installs once for processes that start together', async () => {
    const statuses = await Promise.all([1, 2, 3].map(() => launch('test').finished));
    expect(statuses.map(({ status }) => status)).toEqual([7, 7, 7]);
    expect(countInstalls()).toBe(1);
  });

  test('installs again when bun.lock changed', async () => {
    await launch('test').finished;
    writeFileSync(join(dir, 'bun.lock'), '{}');
    await launch('test').finished;
    expect(countInstalls()).toBe(2);
  });

  test('takes over the lock of a process that died', async () => {
    mkdirSync(join(dir, 'node_modules'));
    // Above the largest process id of Linux.
    writeFileSync(join(dir, 'node_modules/.sdfp-install.lock'), '4194305');
    expect((await launch('test').finished).status).toBe(7);
  });

  test('several processes that find the lock of a dead one install once', async () => {
    mkdirSync(join(dir, 'node_modules'));
    writeFileSync(join(dir, 'node_modules/.sdfp-install.lock'), '4194305');
    const runs = await Promise.all([1, 2, 3, 4, 5, 6].map(() => launch('test').finished));
    expect(runs.map(({ status }) => status)).toEqual([7, 7, 7, 7, 7, 7]);
    expect(countInstalls()).toBe(1);
    expect(readdirSync(join(dir, 'node_modules'))).toEqual(['.sdfp-installed']);
  });

  test('takes over a lock that nobody has touched for long, though a process has its number', async () => {
    mkdirSync(join(dir, 'node_modules'));
    const lock = join(dir, 'node_modules/.sdfp-install.lock');
    const longAgo = new Date(Date.now() - 3600_000);
    for (const owner of [String(process.pid), '']) {
      rmSync(join(dir, 'node_modules/.sdfp-installed'), { force: true });
      writeFileSync(lock, owner);
      utimesSync(lock, longAgo, longAgo);
      expect((await launch('test').finished).status).toBe(7);
    }
  });

  test('waits for a lock whose process lives', async () => {
    mkdirSync(join(dir, 'node_modules'));
    const lock = join(dir, 'node_modules/.sdfp-install.lock');
    writeFileSync(lock, String(process.pid));
    await using launcher = launch('test');
    await launcher.find(/waiting for another process/);
    await sleep(500);
    expect(existsSync(lock) && !existsSync(join(dir, 'installs'))).toBe(true);
    rmSync(lock);
    expect((await launcher.finished).status).toBe(7);
  });

  test('says in one line what a failed install needs, and tries again the next time', async () => {
    writeFileSync(join(dir, 'offline'), '');
    const { status, stdout, stderr } = await launch('test').finished;
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trim().split('\n').slice(1)).toEqual([
      'sdfp: installing dependencies failed: error: ECONNREFUSED downloading hono; needed once: access to the npm registry',
    ]);
    expect(existsSync(join(dir, 'node_modules/.sdfp-install.lock'))).toBe(false);
    rmSync(join(dir, 'offline'));
    expect((await launch('test').finished).status).toBe(7);
  });

  test('passes SIGTERM on and gives the exit status that the command chose', async () => {
    await using launcher = launch('run', 'server.ts');
    await launcher.find(/running/);
    launcher.kill('SIGTERM');
    expect(await launcher.finished).toMatchObject({ status: 5, stdout: 'running\nstopping\n' });
  });

  test('ended while it installs, it runs no command and leaves no lock', async () => {
    await using launcher = launch('test');
    await launcher.find(/installing/);
    launcher.kill('SIGTERM');
    expect(await launcher.finished).toMatchObject({ status: 143, stdout: '' });
    expect(existsSync(join(dir, 'node_modules/.sdfp-install.lock'))).toBe(false);
  });
});
