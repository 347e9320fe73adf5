import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
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
  *sdfp.mjs) echo "$@ in $(pwd -P)" ;;
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
    return launchFrom(undefined, ...args);
  }

  /** As npm called in `folder` starts a script. */
  function launchFrom(folder: string | undefined, ...args: string[]): Running {
    // npm sets INIT_CWD for its tests too; an empty one counts as none.
    const env = { PATH: `${join(dir, 'bin')}:/usr/bin:/bin`, INIT_CWD: folder ?? '' };
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

  test('runs sdfp where npm was called, so that paths mean what they say, and all else in the clone', async () => {
    const cli = 'src/cli/sdfp.mjs';
    const here = realpathSync(dir);
    mkdirSync(join(dir, 'a'));
    const outputs = [
      await launchFrom(join(dir, 'a'), cli, 'inspect', 'x').finished,
      await launchFrom(join(dir, 'gone'), cli, 'inspect', 'x').finished,
      await launch(cli, 'inspect', 'x').finished,
      await launchFrom(join(dir, 'a'), 'test', 'x').finished,
    ].map(({ stdout }) => stdout.replaceAll(dir, here));
    expect(outputs).toEqual([
      `${join(here, cli)} inspect x in ${join(here, 'a')}\n`,
      `${cli} inspect x in ${here}\n`,
      `${cli} inspect x in ${here}\n`,
      'test x\n',
    ]);
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

  test('what an install that was broken off left is removed, and nothing else ever is', async () => {
    const modules = join(dir, 'node_modules');
    mkdirSync(join(modules, 'own'), { recursive: true });
    await using first = launch('test');
    await first.find(/installing/);
    expect(existsSync(join(modules, 'own'))).toBe(true);
    mkdirSync(join(modules, 'half'));
    first.kill('SIGKILL');
    await first.finished;
    expect((await launch('test').finished).status).toBe(7);
    expect(readdirSync(modules)).toEqual(['.sdfp-installed']);
  });

  test('Bun comes from npm in an empty folder, past half of one in node_modules', async () => {
    const npm =
      '#!/bin/sh\necho "$@" > "$NPM_NOTES"; pwd >> "$NPM_NOTES"; ls >> "$NPM_NOTES"; echo "$npm_config_local_prefix" >> "$NPM_NOTES"; exit 1\n';
    writeFileSync(join(dir, 'bin/npm'), npm);
    chmodSync(join(dir, 'bin/npm'), 0o755);
    rmSync(join(dir, 'bin/bun'));
    mkdirSync(join(dir, 'node_modules/bun'), { recursive: true });
    const notes = join(dir, 'notes');
    const node = Bun.which('node');
    if (node === null) throw new Error('This test needs Node, since Bun would find itself.');
    const env = {
      PATH: `${join(dir, 'bin')}:/usr/bin:/bin`,
      npm_execpath: '',
      NPM_NOTES: notes,
      npm_config_local_prefix: dir,
    };
    const launcher = startFile({ name: 'node', command: [node] }, join(dir, LAUNCHER), ['test'], {
      cwd: dir,
      env,
    });
    expect((await launcher.finished).status).toBe(1);
    const [args, cwd, ...rest] = readFileSync(notes, 'utf8').split('\n');
    expect(args).toMatch(/^exec --yes .*--package=bun@[\d.]+ -- bun install --frozen-lockfile --cwd /);
    expect(args).toEndWith(`--cwd ${dir}/`);
    expect(cwd?.startsWith(dir)).toBe(false);
    expect(rest).toEqual(['', '']);
    expect(existsSync(cwd!)).toBe(false);
  });

  test.each(['SIGKILL', 'SIGHUP'] as const)('%s of npm ends the command', async (signal) => {
    // The shell stands in for npm: it waits for the launcher and passes nothing on.
    const script = join(dir, 'npm.sh');
    writeFileSync(script, `"${process.execPath}" "${join(dir, LAUNCHER)}" run server.ts & wait\n`);
    const env = { PATH: `${join(dir, 'bin')}:/usr/bin:/bin`, npm_lifecycle_event: 'start' };
    await using npm = startFile({ name: 'bun', command: ['/bin/sh'] }, script, [], { cwd: dir, env });
    await npm.find(/running/);
    npm.kill(signal);
    // Closed only when nobody is left to write to it.
    expect((await npm.finished).stdout).toBe('running\nstopping\n');
  });
});
