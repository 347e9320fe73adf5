import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Runtime } from './locate.ts';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** What a process left behind. */
export interface Finished {
  /** Null if a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process whose output is kept. Disposing kills it if it still runs. */
export interface Running extends AsyncDisposable {
  /** Resolves with the first match in stdout or stderr. Errors: the process ended without it. */
  find(pattern: RegExp): Promise<RegExpExecArray>;
  /** Errors: it ended; with its output. */
  assertAlive(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly finished: Promise<Finished>;
}

export interface StartOptions {
  /** Working directory; by default the repository. */
  readonly cwd?: string;
  /** On top of our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a file in a runtime. */
export function startFile(
  { command: [program, ...before] }: Runtime,
  file: string,
  args: readonly string[],
  { cwd = ROOT, env = {} }: StartOptions = {},
): Running {
  const child = spawn(program, [...before, file, ...args], { cwd, env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdin.end();
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  const finished = once(child, 'close').then(([status]) => ({ status, ...output }));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const assertAlive = async () => {
    if (!hasEnded()) return;
    const { status, stdout, stderr } = await finished;
    throw new Error(`${file} ended early with status ${status}:\n${stderr}${stdout}`);
  };
  return {
    finished,
    assertAlive,
    kill: (signal) => void child.kill(signal),
    async find(pattern) {
      for (;;) {
        const match = pattern.exec(output.stdout + output.stderr);
        if (match) return match;
        await assertAlive();
        await Bun.sleep(20);
      }
    },
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) child.kill('SIGKILL');
      await finished;
    },
  };
}

/** Runs a file to its end. Errors: an exit status other than 0, with the output. */
export async function runFile(
  runtime: Runtime,
  file: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<string> {
  await using running = startFile(runtime, file, args, options);
  const { status, stdout, stderr } = await running.finished;
  if (status !== 0) throw new Error(`${runtime.name} ${file} ended with ${status}:\n${stderr}${stdout}`);
  return stdout;
}

/** A server that answers. */
export interface ReadyServer {
  readonly baseUrl: string;
  readonly model: string;
  readonly provider: string;
}

/** Waits until a server that was started with port 0 says on `/health` that it is ready. Errors: it ended before. */
export async function waitUntilReady(server: Running): Promise<ReadyServer> {
  const [, port] = await server.find(/listening on http:\/\/\S+:(\d+)/);
  const baseUrl = `http://127.0.0.1:${port}/`;
  for (;;) {
    const response = await fetch(new URL('health', baseUrl)).catch(() => undefined);
    if (response?.status === 200)
      return { baseUrl, ...((await response.json()) as Omit<ReadyServer, 'baseUrl'>) };
    await response?.body?.cancel();
    await server.assertAlive();
    await Bun.sleep(50);
  }
}
