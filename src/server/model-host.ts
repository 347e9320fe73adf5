import type { Manifest } from '../artifact/types.ts';
import type { Engine } from '../engine/types.ts';
import { abortable } from '../lib/abortable.ts';
import { createDeferred } from '../lib/deferred.ts';
import { SdfpError } from '../lib/errors.ts';
import type { TextCodec } from '../text/types.ts';

/** A model that answers. */
export interface ServedModel {
  readonly id: string;
  readonly engine: Engine;
  readonly text: TextCodec;
  /** `text.encode` in another thread; settles when that thread has no more to do with the text. Default: this one. */
  readonly encodeLong?: (
    text: string,
    options: { readonly addSpecialTokens: boolean; readonly signal: AbortSignal | undefined },
  ) => Promise<readonly number[]>;
  readonly defaults: Manifest['generation'];
  /** Seconds since 1970. */
  readonly createdSeconds: number;
  /** How many threads its session has; absent or undefined: as many as its runtime chooses. Shown at /health. */
  readonly threads?: number | undefined;
  /** Facts about the draft plan for people, as JSON; shown at /plan. */
  readonly inspect?: unknown;
}

/** `restarting`: the engine crashed and is being loaded again. */
export type HostState = 'loading' | 'ready' | 'restarting' | 'draining' | 'failed';

/** The one model of a server, from before it is loaded until after it is gone. */
export interface ModelHost {
  readonly state: HostState;
  readonly model: ServedModel | undefined;
  /** Aborts when the server begins to shut down. */
  readonly draining: AbortSignal;
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
  const draining = new AbortController();
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
    draining: draining.signal,
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
    drain() {
      end('draining');
      draining.abort();
    },
    fail: () => end('failed'),
  };
}
