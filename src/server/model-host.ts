import type { Manifest } from '../artifact/types.ts';
import type { Engine } from '../engine/types.ts';
import { createDeferred } from '../lib/deferred.ts';
import { SdfpError } from '../lib/errors.ts';
import type { TextCodec } from '../text/types.ts';

/** A model that answers. */
export interface ServedModel {
  readonly id: string;
  readonly engine: Engine;
  readonly text: TextCodec;
  /** `text.encode` in another thread. Default: this one. */
  readonly encodeLong?: (
    text: string,
    options: { readonly addSpecialTokens: boolean },
  ) => Promise<readonly number[]>;
  readonly defaults: Manifest['generation'];
  /** Seconds since 1970. */
  readonly createdSeconds: number;
  /** Facts about the draft plan for people, as JSON; shown at /plan. */
  readonly inspect?: unknown;
}

/** `restarting`: the engine crashed and is being loaded again. */
export type HostState = 'loading' | 'ready' | 'restarting' | 'draining' | 'failed';

/** The one model of a server, from before it is loaded until after it is gone. */
export interface ModelHost {
  readonly state: HostState;
  readonly model: ServedModel | undefined;
  /** The model as soon as it answers. Errors: `engine_closed` when draining or failed; the signal's reason. */
  whenReady(signal?: AbortSignal): Promise<ServedModel>;
}

/** The side of {@linkcode ModelHost} that its owner holds. */
export interface ModelHostControl extends ModelHost {
  ready(model: ServedModel): void;
  /** The model crashed; requests wait for the next one. */
  restart(): void;
  /** After a failure the model is loaded once more; requests wait for it. */
  retry(): void;
  drain(): void;
  fail(): void;
}

/** A host in state `loading`. */
export function createModelHost(): ModelHostControl {
  let state: HostState = 'loading';
  let model: ServedModel | undefined;
  let settled = createDeferred<void>();
  const isWaiting = (): boolean => state === 'loading' || state === 'restarting';
  const end = (next: HostState): void => {
    state = next;
    settled.resolve();
  };
  const begin = (next: HostState): void => {
    state = next;
    settled = createDeferred();
  };
  return {
    get state() {
      return state;
    },
    get model() {
      return model;
    },
    async whenReady(signal) {
      if (isWaiting()) await abortable(settled.promise, signal);
      if (state === 'ready' && model !== undefined) return model;
      throw new SdfpError(
        'engine_closed',
        `Answering the request: the server is ${state}, needs to be ready.`,
      );
    },
    ready(loaded) {
      model = loaded;
      if (isWaiting()) end('ready');
    },
    restart() {
      if (state === 'ready') begin('restarting');
    },
    retry() {
      if (state === 'failed') begin('loading');
    },
    drain: () => end('draining'),
    fail: () => end('failed'),
  };
}

/** Rejects with the signal's reason if it aborts first. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const aborted = createDeferred<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
