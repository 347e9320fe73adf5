import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import workerd from 'workerd';
import { createEdge, type EdgeEnvironment } from '../../functions/edge.ts';
import { locateRuntime } from '../runtimes/locate.ts';
import { ROOT } from '../runtimes/processes.ts';

/** A gateway that runs somewhere. */
export interface EdgeHost {
  readonly url: string;
  stop(): Promise<void>;
}

export type StartEdge = (environment: EdgeEnvironment) => Promise<EdgeHost>;

/** In this process. */
export const startInBun: StartEdge = async (environment) => {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: createEdge(environment, () => {}) });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
};

/** In Deno with no permission but the network. */
export const startInDeno: StartEdge = async (environment) => {
  const [deno] = locateRuntime('deno').command;
  const file = join(ROOT, 'test/functions/edge-deno.ts');
  const flags = ['run', '--no-prompt', '--no-remote', '--allow-net', '--no-check'];
  return startProcess([deno, ...flags, file, JSON.stringify(environment)], /listening on (\d+)/);
};

/** In workerd, as Cloudflare runs it: bundled to one module, settings as bindings. */
export const startInWorkerd: StartEdge = async (environment) => {
  const folder = await mkdtemp(join(tmpdir(), 'sdfp-workerd-'));
  const entrypoints = [join(ROOT, 'functions/edge.ts')];
  const { outputs } = await Bun.build({ entrypoints, target: 'browser', format: 'esm' });
  await writeFile(join(folder, 'edge.js'), await outputs[0]!.text());
  await writeFile(join(folder, 'config.capnp'), workerdConfig(environment));
  const command = [workerd, 'serve', join(folder, 'config.capnp'), '--control-fd=1'];
  const host = await startProcess(command, /"port":(\d+)/);
  return {
    url: host.url,
    async stop() {
      await host.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

function workerdConfig(environment: EdgeEnvironment): string {
  const bindings = Object.entries(environment).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "outside", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "edge")],
);
const edge :Workerd.Worker = (
  modules = [(name = "edge.js", esModule = embed "edge.js")],
  compatibilityDate = "2026-01-01",
  compatibilityFlags = ["enable_request_signal"],
  globalOutbound = "outside",
  bindings = [${bindings.join(', ')}],
);
`;
}

async function startProcess(command: readonly string[], port: RegExp): Promise<EdgeHost> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  const ended = once(child, 'exit');
  while (!port.test(output) && child.exitCode === null) await Promise.race([ended, Bun.sleep(10)]);
  const found = port.exec(output)?.[1];
  if (found === undefined) throw new Error(`${command.join(' ')} ended with ${child.exitCode}:\n${output}`);
  return {
    url: `http://127.0.0.1:${found}`,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
