import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';

/** Where a process can be bound to one core of several. */
const isMeasurable = existsSync('/proc/self/task') && Bun.which('taskset') !== null && os.cpus().length > 1;

test.skipIf(!isMeasurable)('a session starts no more threads than the process may use cores', () => {
  const child = [process.execPath, new URL('./threads-child.ts', import.meta.url).pathname];
  const run = (command: string[]) =>
    Number(execFileSync(command[0]!, command.slice(1), { encoding: 'utf8' }));
  // The thread that runs the session is one of them.
  expect(run(['taskset', '-c', '0', ...child])).toBe(0);
  expect(run(child)).toBeGreaterThan(0);
});
