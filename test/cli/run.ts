import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const SDFP: string = fileURLToPath(new URL('../../src/cli/sdfp.mjs', import.meta.url));

/** How each runtime is started. */
export const RUNTIMES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  bun: [process.execPath],
  node: ['node'],
  deno: ['deno', 'run', '-A'],
};

/** Whether the runtime can be started here. Bun always can; CI proves all three. */
export function hasRuntime(name: string): boolean {
  const [command = ''] = RUNTIMES[name] ?? [];
  return spawnSync(command, ['--version']).status === 0;
}

/** `sdfp ARGS...` in a process of its own. */
export function runSdfp(
  args: readonly string[],
  runtime = 'bun',
  env: NodeJS.ProcessEnv = {},
): SpawnSyncReturns<string> {
  const [command = '', ...before] = RUNTIMES[runtime] ?? [];
  return spawnSync(command, [...before, SDFP, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}
