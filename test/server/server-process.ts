import { fileURLToPath } from 'node:url';

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** All that it has printed. */
  output(): string;
  /** Sends a signal that does not end it. */
  send(signal: 'SIGUSR2'): void;
  /** Sends the signal and waits; the exit status. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<number>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Starts a command and waits until it says `until`. Rejects with its output and exit status if it ends first. */
export async function startServer(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  until: 'listening' | 'ready' = 'ready',
): Promise<ServerProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, ...environment };
  const child = Bun.spawn([...command], { cwd: ROOT, env, stdout: 'pipe', stderr: 'pipe' });
  let output = '';
  const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const part of stream) output += decoder.decode(part, { stream: true });
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const isUp = (): boolean => output.includes(`sdfp: ${until}`);
  while (!isUp() && child.exitCode === null) await Promise.race([child.exited, Bun.sleep(10)]);
  if (!isUp()) {
    await collected;
    throw new Error(`${output}\nexit status ${child.exitCode}`);
  }
  return {
    url: `http://127.0.0.1:${/listening on http:\/\/[^:]+:(\d+)/.exec(output)![1]}`,
    pid: child.pid,
    output: () => output,
    send: (signal) => child.kill(signal),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return child.exited;
    },
  };
}
