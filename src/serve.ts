/** The serve side on one page: port, artifact, engine, text, app; and the way back. */
import { join } from 'node:path';
import process from 'node:process';
import type { Hono } from 'hono';
import {
  type Artifact,
  acceptancePriorOf,
  engineSpecOf,
  openArtifact,
  servedDraft,
} from './artifact/index.ts';
import { DEFAULT_SAMPLING, DEFAULT_SPECULATION } from './engine/defaults.ts';
import type { Engine } from './engine/types.ts';
import { playgroundFiles, playgroundSecurityPolicy } from './playground/index.ts';
import type { AppEnv } from './server/context.ts';
import {
  type Admission,
  createAdmission,
  createApp,
  createHealthApp,
  createModelHost,
  type LoadedModel,
  type ModelHostControl,
  type ServedModel,
  supervise,
} from './server/index.ts';
import type { Listen, Listener } from './server/listen/index.ts';
import { closePorts, openPort, within } from './server/ports.ts';
import type { Settings } from './server/settings.ts';
import { collectTokenBytes, loadTextCodec } from './text/index.ts';
import { type EngineWorker, startEngineWorker } from './worker/index.ts';

/** Where a server tells what it does. */
export interface ServeOutput {
  /** One line of JSON per request. */
  readonly log: (line: string) => void;
  /** One line for the person who started it. */
  readonly note: (line: string) => void;
}

export interface ServeOptions extends ServeOutput {
  readonly settings: Settings;
  readonly listen: Listen;
  /** Aborting it shuts the server down. */
  readonly signal: AbortSignal;
}

/** Time for the last bytes of answers when everything else is over. */
const CLOSE_MS = 500;

/**
 * Serves until the signal aborts: then health says 503, running requests finish within the grace period, and everything
 * is released. The port is open before the model is loaded; an engine that crashes is started again. Errors: SdfpError of
 * a port, the artifact, or an engine that keeps crashing.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { settings, signal } = options;
  const service = createService(settings, options.log);
  const listeners = await openPorts(service, options);
  try {
    await superviseModel(settings, service, options);
  } finally {
    if (!signal.aborted) service.host.fail();
    await closePorts(listeners, CLOSE_MS);
  }
}

/** An app and its parts, without a model yet. */
export interface Service {
  readonly app: Hono<AppEnv>;
  readonly host: ModelHostControl;
  readonly admission: Admission;
}

/** Makes the app; loads nothing and opens no port. */
export function createService(settings: Settings, log: (line: string) => void): Service {
  const host = createModelHost();
  const admission = createAdmission(settings.maxConcurrency + settings.maxQueue);
  const app = createApp({
    host,
    admission,
    log,
    apiKeys: settings.apiKeys,
    corsOrigins: settings.corsOrigins,
    limits: {
      maxBodyBytes: settings.maxBodyBytes,
      requestTimeoutMs: settings.requestTimeoutMs,
      keepAliveMs: settings.sseKeepaliveMs,
    },
    pages: { files: playgroundFiles(), securityPolicy: playgroundSecurityPolicy },
    residentMemoryBytes: () => process.memoryUsage().rss,
  });
  return { app, host, admission };
}

async function openPorts(service: Service, { settings, listen, note }: ServeOptions): Promise<Listener[]> {
  const { host, port, portHealth } = settings;
  const main = await openPort(listen, 'PORT', { fetch: service.app.fetch, host, port });
  note(`listening on http://${host === '0.0.0.0' ? 'localhost' : host}:${main.port}`);
  if (portHealth === undefined || portHealth === main.port) return [main];
  try {
    const { fetch } = createHealthApp(service);
    return [main, await openPort(listen, 'PORT_HEALTH', { fetch, host, port: portHealth })];
  } catch (error) {
    main.kill();
    throw error;
  }
}

/** Keeps the model of a service answering until the signal aborts. Errors: as {@linkcode supervise}. */
export async function superviseModel(
  settings: Settings,
  { host, admission }: Service,
  { signal, note }: Pick<ServeOptions, 'signal' | 'note'>,
): Promise<void> {
  await supervise({
    host,
    signal,
    note,
    load: () => loadModel(settings, { note }),
    async drain() {
      note('shutting down');
      host.drain();
      await within(settings.shutdownGraceMs, admission.whenIdle());
    },
  });
}

/** Opens the artifact, starts its engine and runs it once, so that "ready" means fast. */
async function loadModel(settings: Settings, { note }: Pick<ServeOutput, 'note'>): Promise<LoadedModel> {
  const startedMs = performance.now();
  const artifact = await openArtifact(settings.artifact, { verify: 'fast' });
  const engine = await startEngine(artifact, settings);
  try {
    const text = await loadTextCodec(artifact.dir);
    engine.setVocabulary(collectTokenBytes(text, engine.info.vocabSize));
    await warmUp(engine);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    note(`ready: ${artifact.manifest.name} on ${engine.info.provider}, loaded in ${seconds} s`);
    const crashed = new Promise<Error>((resolve) => engine.onExit((error) => error && resolve(error)));
    return {
      served: describe(artifact, engine, text),
      crashed,
      [Symbol.asyncDispose]: () => engine.dispose(),
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

function startEngine({ dir, manifest }: Artifact, settings: Settings): Promise<EngineWorker> {
  const spec = engineSpecOf(manifest);
  return startEngineWorker({
    graph: { path: join(dir, spec.graph) },
    weightsDir: dir,
    weightFiles: manifest.files.map(({ name }) => name),
    spec,
    acceptancePrior: acceptancePriorOf(manifest, servedDraft(manifest)),
    maxRunning: settings.maxConcurrency,
    // The server's own places are the limit; a request may need several (n, lists of prompts).
    maxWaiting: Number.MAX_SAFE_INTEGER,
  });
}

function describe({ manifest }: Artifact, engine: Engine, text: ServedModel['text']): ServedModel {
  const { name, measured, generation, scores } = manifest;
  const createdSeconds = Math.floor((measured === null ? Date.now() : Date.parse(measured.date)) / 1000);
  const { dropped = [], keptShare = 1 } = servedDraft(manifest) ?? {};
  const inspect = {
    method: scores.method,
    units: scores.units,
    dropped: dropped.map((unit) => `${unit.layer}.${unit.block}`),
    kept_share: keptShare,
    acceptance_rate: measured?.acceptanceRate ?? null,
  };
  return { id: name, engine, text, defaults: generation, createdSeconds, inspect };
}

/** A few tokens of both kinds of rounds: the first runs of a session are several times slower. */
async function warmUp(engine: Engine): Promise<void> {
  for (const draftLength of [2, 0]) {
    const events = engine.generate({
      promptIds: [0, 0, 0, 0],
      maxTokens: 4,
      sampling: { ...DEFAULT_SAMPLING, temperature: 0 },
      speculation: { ...DEFAULT_SPECULATION, draftLength },
      stopTokenIds: [],
      topLogprobs: undefined,
    });
    for await (const _ of events);
  }
}
