/** What the entries for the runtimes share: the server as a process, and as a function. */
import { constants } from 'node:os';
import process from 'node:process';
import { createEchoFilter } from '../src/lib/signal-echo.ts';
import { createService, type ServeOutput, type Service, serve, superviseModel } from '../src/serve.ts';
import type { Listen } from '../src/server/listen/index.ts';
import { readSettings } from '../src/server/settings.ts';

const output: ServeOutput = {
  log: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`sdfp: ${line}\n`),
};

/** Serves with the settings of the environment until SIGTERM or SIGINT, then exits with 0; with 1 if it cannot. */
export async function start(listen: Listen): Promise<void> {
  try {
    const settings = readSettings({ environment: process.env });
    await serve({ settings, listen, signal: watchSignals(), ...output });
    process.exit(0);
  } catch (error) {
    output.note(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

/** The first signal shuts down, the second ends the process at once. */
function watchSignals(): AbortSignal {
  const controller = new AbortController();
  const isOwnSignal = createEchoFilter();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (!isOwnSignal()) return;
      if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
      controller.abort();
    });
  }
  return controller.signal;
}

/** A web-standard handler for platforms that listen themselves. The model is loaded with the first request. */
export function createFetch(): (request: Request) => Promise<Response> {
  let service: Service | undefined;
  return async (request) => {
    service ??= startService();
    return service.app.fetch(request);
  };
}

function startService(): Service {
  const settings = readSettings({ environment: process.env });
  const service = createService(settings, output.log);
  // The platform ends the process, so nothing ever aborts.
  const { signal } = new AbortController();
  superviseModel(settings, service, { signal, note: output.note }).catch((error) => {
    service.host.fail();
    output.note(String(error));
  });
  return service;
}
