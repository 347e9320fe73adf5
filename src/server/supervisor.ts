import { SdfpError } from '../lib/errors.ts';
import type { ModelHostControl, ServedModel } from './model-host.ts';

/** A model with its owner's side: how to end it, and whether it ended by itself. */
export interface LoadedModel extends AsyncDisposable {
  readonly served: ServedModel;
  /** Resolves, with the reason, when the engine's thread ends unasked. */
  readonly crashed: Promise<Error>;
}

export interface SuperviseOptions {
  readonly host: ModelHostControl;
  /** Aborting the signal ends the wait for it; a model that comes after all is released. */
  readonly load: () => Promise<LoadedModel>;
  /** Runs when the signal has aborted: while the model still answers, if there is one. */
  readonly drain: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly note: (line: string) => void;
  /** Pause before the first restart; each further one takes twice as long. Default 250. */
  readonly firstDelayMs?: number;
}

/** Crashes in a row after which restarting is given up: the platform then starts another process. */
const MAX_RESTARTS = 5;
const MAX_DELAY_MS = 10_000;
/** A model that answered for so long is well again. */
const STABLE_MS = 60_000;

/**
 * Loads the model and keeps it answering until the signal aborts: after a crash another one is loaded, later each time.
 * Errors: what the first loading threw; `engine_closed` when restarting does not help.
 */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const { host, load, drain, signal, note, firstDelayMs = 250 } = options;
  let model = await loadUnlessAborted(load, signal);
  if (model === undefined) return drain();
  for (let restarts = 0; ; restarts++) {
    const startedMs = performance.now();
    const crash = await serveOne(model, host, drain, signal);
    if (crash === undefined) return;
    host.restart();
    if (performance.now() - startedMs > STABLE_MS) restarts = 0;
    note(`the engine crashed: ${crash.message}`);
    const next = await reload({ load, signal, note, firstDelayMs, restarts });
    if (next === undefined) return drain();
    [model, restarts] = [next.model, next.restarts];
  }
}

/** Undefined as soon as the signal aborts, though the load itself may go on for a while. */
async function loadUnlessAborted(
  load: SuperviseOptions['load'],
  signal: AbortSignal,
): Promise<LoadedModel | undefined> {
  const loading = load();
  const model = await Promise.race([loading, aborted(signal)]);
  if (model === undefined) loading.then((late) => late[Symbol.asyncDispose]()).catch(() => {});
  return model;
}

/** Serves with one model to its end; the reason if it crashed, undefined if it was asked to end. */
async function serveOne(
  model: LoadedModel,
  host: ModelHostControl,
  drain: () => Promise<void>,
  signal: AbortSignal,
): Promise<Error | undefined> {
  await using _ = model;
  host.ready(model.served);
  const crash = await Promise.race([aborted(signal), model.crashed]);
  if (crash === undefined) await drain();
  return crash;
}

interface ReloadOptions
  extends Required<Pick<SuperviseOptions, 'load' | 'signal' | 'note' | 'firstDelayMs'>> {
  /** Restarts in a row so far. */
  readonly restarts: number;
}

/** Loads again, as often as it is allowed to fail; undefined if the signal aborts first. */
async function reload({
  load,
  signal,
  note,
  firstDelayMs,
  restarts,
}: ReloadOptions): Promise<{ readonly model: LoadedModel; readonly restarts: number } | undefined> {
  let cause: unknown;
  for (let count = restarts; count < MAX_RESTARTS; count++) {
    const delayMs = Math.min(firstDelayMs * 2 ** count, MAX_DELAY_MS);
    note(`restarting the engine in ${delayMs} ms (${count + 1} of ${MAX_RESTARTS})`);
    await pause(delayMs, signal);
    if (signal.aborted) return undefined;
    try {
      const model = await loadUnlessAborted(load, signal);
      return model && { model, restarts: count };
    } catch (error) {
      cause = error;
      note(`the engine did not start: ${error}`);
    }
  }
  throw new SdfpError(
    'engine_closed',
    `Restarting the engine: it failed ${MAX_RESTARTS} times in a row, needs help from outside.`,
    { cause },
  );
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([over, aborted(signal)]);
  clearTimeout(timer);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
