#!/usr/bin/env node
/**
 * Runs Bun with the given arguments: `node src/cli/with-bun.mjs test`. Needs Node 20+ (or Bun) and nothing else: this
 * file has no dependencies, installs those of the package once, and brings Bun from npm where there is none.
 * For a clone of the repository; the published package does not contain it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.sdfp-installed');
/** There while an install runs, and after one that was broken off: what it left cannot be trusted. */
const unfinishedFile = join(modules, '.sdfp-installing');
const lockFile = join(modules, '.sdfp-install.lock');
/** Time without a sign of life from the owner after which its lock counts for nothing, in milliseconds. */
const LOCK_SILENCE_MS = 120_000;
/** What Bun is told to install. */
const INSTALL = ['install', '--frozen-lockfile'];
/** How often to look whether npm still runs, in milliseconds. */
const NPM_CHECK_MS = 250;
/** The command line, relative to the repository as the scripts of package.json name it. */
const CLI = 'src/cli/sdfp.mjs';
const exe = process.platform === 'win32' ? '.exe' : '';

/** The command that runs now, and the first signal that arrived. */
const life = { child: undefined, interruptedBy: undefined };

/**
 * Passes signals on to the command. Ctrl-C reaches us up to twice (terminal and npm); it is passed on once, because a
 * second signal ends a server at once.
 */
function passSignalsOn() {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    let lastMs = Number.NEGATIVE_INFINITY;
    process.on(signal, () => {
      if (performance.now() - lastMs > 1000) life.child?.kill(signal);
      lastMs = performance.now();
      life.interruptedBy ??= signal;
    });
  }
}

/**
 * Ends the command when npm is gone: killed, or with its terminal, it tells nobody, and what it started would run on.
 * Only under npm: who starts this file by itself may well end before it.
 */
function watchNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    life.interruptedBy ??= 'SIGHUP';
    life.child?.kill('SIGTERM');
  }, NPM_CHECK_MS);
  watch.unref();
}

/** Between two commands: ends with the status of the signal that arrived, if one did. */
function exitIfInterrupted() {
  if (life.interruptedBy !== undefined) process.exit(128 + constants.signals[life.interruptedBy]);
}

/**
 * Runs a command to its end.
 * @returns {Promise<{ status: number, output: string }>} `output` (stdout and stderr) is empty unless `quiet`.
 */
function runCommand([file, ...args], { quiet = false, cwd = process.cwd(), env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
    life.child = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += data));
    child.on('error', (error) => settle(127, error.message));
    child.on('close', (code, signal) => settle(code ?? 128 + (constants.signals[signal] ?? 0), output));
    function settle(status, text) {
      life.child = undefined;
      resolve({ status, output: text });
    }
  });
}

/** Ends this process with one line on stderr. */
function fail(message, status = 1) {
  process.stderr.write(`sdfp: ${message}\n`);
  process.exit(status);
}

function readPackage() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}

/**
 * Bun of node_modules, then of PATH. The package `bun` moves the binary to `.bin` in its install script; where such
 * scripts are off it stays in the package of the platform, and `.bin/bun` is a placeholder that does not start.
 */
function listCandidates() {
  const platforms = join(modules, '@oven');
  const unmoved = existsSync(platforms)
    ? readdirSync(platforms).map((name) => join(platforms, name, 'bin'))
    : [];
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const folders = [join(modules, '.bin'), ...unmoved, ...path];
  const files = folders.map((folder) => join(folder, `bun${exe}`)).filter((file) => existsSync(file));
  return process.versions.bun ? [...files, process.execPath] : files;
}

/** First Bun that starts here and is new enough (the minor version of the pinned one), or undefined. */
async function findBun(pinned) {
  for (const file of listCandidates()) {
    const { status, output } = await runCommand([file, '--version'], { quiet: true });
    const isNewEnough =
      output.trim().localeCompare(pinned.replace(/\d+$/, '0'), 'en', { numeric: true }) >= 0;
    if (status === 0 && isNewEnough) return file;
  }
  return undefined;
}

/**
 * Bun through npm's own cache. `--ignore-scripts=false`: the package `bun` links its binary in a script. The retry
 * times (npm: 10 and 60 s) are shorter so that a machine without network hears of it in seconds.
 */
function bunFromNpm(pinned) {
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : [`npm${exe && '.cmd'}`];
  const options = [
    '--yes',
    '--ignore-scripts=false',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=5000',
  ];
  return [...npm, 'exec', ...options, `--package=bun@${pinned}`, '--', 'bun'];
}

/** Changes whenever the installed packages should. */
function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'bun.lock')))
    .digest('hex');
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockDigest();
}

/** Takes the lock (false: another live process has it). The file holds the owner's process id. */
function takeLock() {
  mkdirSync(modules, { recursive: true });
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const lock = readLock();
    if (lock !== undefined && isStale(lock)) removeLock(lock);
    return false;
  }
}

/** The owner's process id as written, empty before it is, and the time of its last sign of life; undefined: no lock. */
function readLock() {
  try {
    return { owner: readFileSync(lockFile, 'utf8'), touchedMs: statSync(lockFile).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The number of a dead process may belong to another by now: a living owner also touches its lock. */
function isStale({ owner, touchedMs }) {
  if (Date.now() - touchedMs > LOCK_SILENCE_MS) return true;
  try {
    return owner !== '' && !process.kill(Number(owner), 0);
  } catch (error) {
    return error.code !== 'EPERM';
  }
}

/**
 * Moves the lock away before it goes, which only one of several processes can do. Between reading and moving, another
 * may have replaced the stale lock by its own: that one is put back.
 */
function removeLock({ owner }) {
  const moved = `${lockFile}.${process.pid}`;
  try {
    renameSync(lockFile, moved);
    if (readFileSync(moved, 'utf8') !== owner) linkSync(moved, lockFile);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(moved, { force: true });
  }
}

/** Runs `body` while the lock is ours, and shows that we live. */
async function holdLock(body) {
  const touch = () => utimesSync(lockFile, new Date(), new Date());
  const beat = setInterval(() => ignoreMissing(touch), LOCK_SILENCE_MS / 10);
  try {
    return await body();
  } finally {
    clearInterval(beat);
    if (readLock()?.owner === String(process.pid)) rmSync(lockFile, { force: true });
  }
}

function ignoreMissing(action) {
  try {
    action();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

async function install(pinned) {
  if (existsSync(unfinishedFile)) removeUnfinished();
  const bun = await findBun(pinned);
  if (life.interruptedBy !== undefined) return undefined;
  writeFileSync(unfinishedFile, '');
  process.stderr.write(`sdfp: installing dependencies${bun ? '' : ' and Bun'} into node_modules (once)\n`);
  const { status, output } = await (bun ? installWith(bun) : installThroughNpm(pinned));
  if (status !== 0) return describeFailure(output);
  writeFileSync(stampFile, lockDigest());
  rmSync(unfinishedFile, { force: true });
  return undefined;
}

/** All that an install put there before it was broken off; not the lock, which is ours. */
function removeUnfinished() {
  for (const name of readdirSync(modules)) {
    const file = join(modules, name);
    if (file !== lockFile && file !== unfinishedFile) rmSync(file, { recursive: true, force: true });
  }
}

function installWith(bun) {
  return runCommand([bun, ...INSTALL], { quiet: true, cwd: root });
}

/** From an empty folder: in the repository npm takes the `bun` of node_modules, which may be half of one. */
async function installThroughNpm(pinned) {
  const cwd = mkdtempSync(join(tmpdir(), 'sdfp-npm-'));
  // Set by the npm that runs our script; it would send the other one back to the repository.
  const { npm_config_local_prefix: _, ...env } = process.env;
  try {
    return await runCommand([...bunFromNpm(pinned), ...INSTALL, '--cwd', root], { quiet: true, cwd, env });
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** The line of an installer's output that says most. */
function describeFailure(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const telling = lines.find((line) =>
    /\b(ENOTFOUND|ECONN\w+|EAI_AGAIN|ETIMEDOUT|ENOSPC|EACCES|EROFS)\b/.test(line),
  );
  const line = telling ?? lines.find((text) => /error/i.test(text)) ?? lines.findLast((text) => text !== '');
  return `installing dependencies failed: ${line ?? 'no message'}; needed once: access to the npm registry`;
}

/** Installs what bun.lock names unless that is done; of several processes one installs and the others wait for it. */
async function ensureInstalled(pinned) {
  let hasSaidSo = false;
  while (!isInstalled()) {
    exitIfInterrupted();
    if (!takeLock()) {
      if (!hasSaidSo) process.stderr.write('sdfp: waiting for another process that installs dependencies\n');
      hasSaidSo = true;
      await sleep(200);
      continue;
    }
    const problem = await holdLock(() => (isInstalled() ? undefined : install(pinned)));
    exitIfInterrupted();
    if (problem !== undefined) fail(problem);
  }
}

/**
 * npm runs scripts in the repository, wherever it was called: paths that a person gives to `npm run sdfp` are relative to
 * the folder that npm notes in INIT_CWD. Everything else runs where it is.
 */
function placeCommand(bun, args) {
  const { INIT_CWD } = process.env;
  if (args[0] !== CLI || INIT_CWD === undefined || !existsSync(INIT_CWD)) return [[bun, ...args]];
  return [[bun, join(root, CLI), ...args.slice(1)], { cwd: INIT_CWD }];
}

passSignalsOn();
watchNpm();
const pinned = readPackage().devDependencies.bun;
try {
  await ensureInstalled(pinned);
} catch (error) {
  fail(`preparing node_modules failed: ${error.message}`);
}
const bun = await findBun(pinned);
exitIfInterrupted();
if (bun === undefined)
  fail(`no Bun ${pinned} for ${process.platform}-${process.arch} in node_modules or on PATH`);
const { status } = await runCommand(...placeCommand(bun, process.argv.slice(2)));
process.exit(status);
