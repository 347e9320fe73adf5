import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Deno that is fetched from npm where PATH has none. */
const DENO_VERSION = '2.9.6';

export type RuntimeName = 'bun' | 'deno' | 'node';

/** A runtime on this machine. */
export interface Runtime {
  readonly name: RuntimeName;
  /** Words that start a TypeScript file with all permissions; the file and its arguments follow. */
  readonly command: readonly [string, ...string[]];
}

/** Prints which runtime really runs: `node` on PATH may be a stand-in that Bun put there. */
const PROBE =
  "const { versions } = require('node:process'); console.log(versions.bun ? 'bun' : versions.deno ? 'deno' : 'node')";

/** Finds a runtime. Errors: what is missing and how to get it. */
export function locateRuntime(name: RuntimeName): Runtime {
  if (name === 'bun') return { name, command: [process.execPath] };
  if (name === 'deno') return { name, command: [locateDeno(), 'run', '-A'] };
  const probe = spawnSync('node', ['-e', PROBE], { encoding: 'utf8' });
  if (probe.stdout?.trim() === 'node') return { name, command: ['node', '--import', 'tsx'] };
  throw new Error(
    `Looking for Node on PATH: found ${probe.stdout?.trim() || 'nothing'}, needs Node 20 or newer.`,
  );
}

/** Whether tests in a runtime have to be left out, which is said aloud. Never in CI: there they fail. */
export function mustSkip(name: RuntimeName): boolean {
  try {
    locateRuntime(name);
    return false;
  } catch (error) {
    if (process.env.CI) return false;
    console.warn(`SKIPPED: nothing is tested in ${name}. ${error instanceof Error ? error.message : error}`);
    return true;
  }
}

function locateDeno(): string {
  if (spawnSync('deno', ['--version']).status === 0) return 'deno';
  const dir = join(tmpdir(), `sdfp-test-deno-${DENO_VERSION}`);
  const file = join(dir, 'node_modules', 'deno', 'deno');
  if (!existsSync(file)) installDeno(dir);
  return file;
}

/** Installs into a folder beside the wanted one and renames it, so that an interrupted install is never found. */
function installDeno(dir: string): void {
  const fresh = mkdtempSync(`${dir}-`);
  // Not with --prefix: it hides npm's global settings.
  writeFileSync(join(fresh, 'package.json'), '{}');
  const npm = ['install', '--ignore-scripts=false', `deno@${DENO_VERSION}`];
  const { status, stderr } = spawnSync('npm', npm, { encoding: 'utf8', cwd: fresh });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(
      `Installing Deno from npm: ${stderr?.trim() || 'npm did not start'}; needs Deno on PATH or npm.`,
    );
  }
  rmSync(dir, { recursive: true, force: true });
  renameSync(fresh, dir);
}
