/** The serve side on one page: port, artifact, engine, text, app; and the way back. */
import { join } from 'node:path';
import process from 'node:process';
import type { Hono } from 'hono';
import type { PlanFacts } from './api/index.ts';
import {
  type Artifact,
  acceptancePriorOf,
  chooseThreads,
  describeThreads,
  engineSpecOf,
  type Manifest,
  openArtifact,
  servedDraft,
  type ThreadChoice,
} from './artifact/index.ts';
import { DEFAULT_SAMPLING, DEFAULT_SPECULATION } from './engine/defaults.ts';
import type { Engine } from './engine/types.ts';
import { disposeInOrder } from './lib/dispose.ts';
import { describeProcessor } from './lib/processor.ts';
import { type Unit, unitName } from './lib/units.ts';
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
import { type Listen, type Listener, loadListen } from './server/listen/index.ts';
import { closePorts, openPort, within } from './server/ports.ts';
import { completeSettings, type Settings } from './server/settings.ts';
import { openTracing } from './server/tracing/open-tracing.ts';
import type { RequestTracer } from './server/tracing/types.ts';
import { collectTokenBytes, createThreadEncoder, loadTextCodec } from './text/index.ts';
import { type EngineWorker, startEngineWorker } from './worker/index.ts';

/** Where a server tells what it does. */
export interface ServeOutput {
  /** One line of JSON per request. */
  readonly log: (line: string) => void;
  /** One line for the person who started it. */
  readonly note: (line: string) => void;
}

/** All of it may be left out. */
export interface ServeOptions extends Partial<ServeOutput> {
  /** Those of `sdfp serve --help`, in camelCase, as far as they differ from its defaults. The environment is read for traces only. */
  readonly settings?: Partial<Settings>;
  /** Opens ports; default: the way of the runtime that this is. */
  readonly listen?: Listen;
  /** Aborting it shuts the server down; default: it serves until the process ends. */
  readonly signal?: AbortSignal;
}

/** Time for the last bytes of answers when everything else is over. */
const CLOSE_MS = 500;
/** Time for the last traces, after that. */
const TRACES_MS = 2000;

/**
 * Serves until the signal aborts: then health says 503, running requests finish within the grace period, and everything
 * is released. The port is open before the model is loaded; an engine that crashes is started again. Errors: SdfpError of
 * a port, the artifact, or an engine that keeps crashing.
 */
export async function serve(options: ServeOptions = {}): Promise<void> {
  const complete = await completeOptions(options);
  const { settings, signal } = complete;
  const tracer = await openTracing(process.env, complete.note);
  const service = createService(settings, complete.log, tracer);
  let listeners: readonly Listener[] = [];
  try {
    listeners = await openPorts(service, complete);
    await superviseModel(settings, service, complete);
  } finally {
    if (!signal.aborted) service.host.fail();
    await closePorts(listeners, CLOSE_MS);
    if (tracer !== undefined) await within(TRACES_MS, tracer.shutdown());
  }
}

type CompleteOptions = Required<Omit<ServeOptions, 'settings'>> & { readonly settings: Settings };

async function completeOptions(options: ServeOptions): Promise<CompleteOptions> {
  return {
    listen: options.listen ?? (await loadListen()),
    signal: options.signal ?? new AbortController().signal,
    log: options.log ?? (() => {}),
    note: options.note ?? (() => {}),
    settings: completeSettings(options.settings ?? {}),
  };
}

/** An app and its parts, without a model yet. */
export interface Service {
  readonly app: Hono<AppEnv>;
  readonly host: ModelHostControl;
  readonly admission: Admission;
}

/** Makes the app; loads nothing and opens no port. */
export function createService(
  settings: Settings,
  log: (line: string) => void,
  tracer?: RequestTracer,
): Service {
  const host = createModelHost();
  const admission = createAdmission(settings.maxConcurrency + settings.maxQueue);
  const app = createApp({
    host,
    admission,
    log,
    tracer,
    apiKeys: settings.apiKeys,
    corsOrigins: settings.corsOrigins,
    limits: {
      maxBodyBytes: settings.maxBodyBytes,
      requestTimeoutMs: settings.requestTimeoutMs,
      keepAliveMs: settings.sseKeepaliveMs,
      resumeMs: settings.resumeMs,
    },
    pages: { files: playgroundFiles(), securityPolicy: playgroundSecurityPolicy },
    residentMemoryBytes: () => process.memoryUsage().rss,
  });
  return { app, host, admission };
}

async function openPorts(service: Service, { settings, listen, note }: CompleteOptions): Promise<Listener[]> {
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
  { signal, note }: Pick<CompleteOptions, 'signal' | 'note'>,
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
  const choice = chooseThreads(
    artifact.manifest,
    { threads: settings.threads, draft: servedDraft(artifact.manifest)?.name ?? null, provider: undefined },
    describeProcessor(),
  );
  const engine = await startEngine(artifact, settings, choice);
  try {
    const text = await loadTextCodec(artifact.dir);
    engine.setVocabulary(collectTokenBytes(text, engine.info.vocabSize));
    await warmUp(engine);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    note(
      `ready: ${artifact.manifest.name} on ${engine.info.provider}, loaded in ${seconds} s; ${describeThreads(choice)}`,
    );
    const crashed = new Promise<Error>((resolve) => engine.onExit((error) => error && resolve(error)));
    const encoder = createThreadEncoder(artifact.dir);
    return {
      served: { ...describe(artifact, engine, text), threads: choice.threads, encodeLong: encoder.encode },
      crashed,
      [Symbol.asyncDispose]: () =>
        disposeInOrder([() => encoder[Symbol.asyncDispose](), () => engine.dispose()]),
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

function startEngine(
  { dir, manifest }: Artifact,
  settings: Settings,
  { threads }: ThreadChoice,
): Promise<EngineWorker> {
  const spec = engineSpecOf(manifest);
  return startEngineWorker({
    graph: { path: join(dir, spec.graph) },
    weightsDir: dir,
    weightFiles: manifest.files.map(({ name }) => name),
    spec,
    threads,
    acceptancePrior: acceptancePriorOf(manifest, servedDraft(manifest)),
    maxRunning: settings.maxConcurrency,
    prefixCacheBytes: settings.prefixCacheBytes,
    // The server's own places are the limit; a request may need several (n, lists of prompts).
    maxWaiting: Number.MAX_SAFE_INTEGER,
  });
}

function describe({ manifest }: Artifact, engine: Engine, text: ServedModel['text']): ServedModel {
  const { name, measured, generation } = manifest;
  const createdSeconds = Math.floor((measured === null ? Date.now() : Date.parse(measured.date)) / 1000);
  return { id: name, engine, text, defaults: generation, createdSeconds, inspect: planFacts(manifest) };
}

/** The served draft and the scores of all units, for `/plan`. */
export function planFacts(manifest: Manifest): PlanFacts {
  const { model, target, scores, measured } = manifest;
  const draft = servedDraft(manifest);
  const names = (list: readonly Unit[] = []): string[] => list.map(unitName);
  return {
    method: scores.method,
    units: scores.units,
    target_precision: target.precision,
    vocab_size: model.vocabSize,
    draft: draft?.name ?? null,
    dropped: names(draft?.dropped),
    int8: names(draft?.int8),
    int4: names(draft?.int4),
    head: draft?.head ?? 'shared',
    draft_vocab_size: draft?.vocabulary?.length ?? model.vocabSize,
    kept_share: draft?.keptShare ?? 1,
    acceptance_rate: measured?.acceptanceRate ?? null,
  };
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
      isWarmUp: true,
    });
    for await (const _ of events);
  }
}
