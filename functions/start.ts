/** What the entries for the runtimes share: the server as a process, and as a function. */
import { constants } from 'node:os';
import process from 'node:process';
import { messageOf } from '../src/lib/errors.ts';
import { createEchoFilter } from '../src/lib/signal-echo.ts';
import { createService, type ServeOutput, type Service, serve, superviseModel } from '../src/serve.ts';
import type { Listen } from '../src/server/listen/index.ts';
import { readSettings, type Settings } from '../src/server/settings.ts';
import { openTracing } from '../src/server/tracing/open-tracing.ts';
import type { RequestTracer } from '../src/server/tracing/types.ts';

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

/** Options of {@linkcode createFetch}. */
export interface FetchOptions {
  /** Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Pause after a load that failed, before a request may start another. Default 2000. */
  readonly retryMs?: number;
  /** Aborting it releases the model. Default: never; the platform ends the process. */
  readonly signal?: AbortSignal;
}

/**
 * A web-standard handler for platforms that listen themselves. The model is loaded with the first request, and again with
 * a later one if that failed or the engine kept crashing; until then `/health` says `failed`, other requests get 503.
 */
export function createFetch(options: FetchOptions = {}): (request: Request) => Promise<Response> {
  const { environment = process.env, retryMs = 2000, signal = new AbortController().signal } = options;
  let tracing: Promise<RequestTracer | undefined> | undefined;
  let serving: Serving | undefined;
  return async (request) => {
    tracing ??= startTracing(environment, signal);
    const tracer = await tracing;
    serving ??= startServing(readSettings({ environment }), signal, tracer);
    if (performance.now() - serving.failedMs() >= retryMs) serving.load();
    return serving.service.app.fetch(request);
  };
}

interface Serving {
  readonly service: Service;
  /** Loads the model once more, after a failure. */
  load(): void;
  /** When it failed last, on the clock of `performance`; infinite while it has not. */
  failedMs(): number;
}

async function startTracing(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<RequestTracer | undefined> {
  const tracer = await openTracing(environment, output.note);
  if (tracer !== undefined) signal.addEventListener('abort', () => void tracer.shutdown(), { once: true });
  return tracer;
}

function startServing(settings: Settings, signal: AbortSignal, tracer: RequestTracer | undefined): Serving {
  const service = createService(settings, output.log, tracer);
  let failedMs = Number.POSITIVE_INFINITY;
  const run = (): void => {
    failedMs = Number.POSITIVE_INFINITY;
    superviseModel(settings, service, { signal, note: output.note }).catch((error) => {
      service.host.fail();
      failedMs = performance.now();
      output.note(messageOf(error));
    });
  };
  run();
  return {
    service,
    load() {
      service.host.retry();
      run();
    },
    failedMs: () => failedMs,
  };
}
