import { SdfpError } from '../lib/errors.ts';

/** The life of one request: it ends when the client goes, when its time is over, or when it is answered. */
export interface RequestScope {
  readonly signal: AbortSignal;
  /** Another signal that aborts with it: one signal takes ten listeners before Node warns of a leak. */
  fork(): AbortSignal;
  /** Whether the time limit ended it. */
  readonly isTimedOut: boolean;
  /** Ends it because the client is gone. */
  abandon(): void;
  /** The answer is complete (or refused). Runs what `onClose` was given; repeating it is harmless. */
  close(): void;
  onClose(action: () => void): void;
}

/** `client`: aborts when the connection breaks. */
export function openScope(client: AbortSignal, timeoutMs: number): RequestScope {
  const controller = new AbortController();
  const actions: (() => void)[] = [];
  let isTimedOut = false;
  const forks: AbortController[] = [];
  const end = (reason: unknown): void => {
    for (const each of [controller, ...forks]) each.abort(reason);
    close();
  };
  const abandon = (): void => end(new DOMException('The client closed the request.', 'AbortError'));
  const timer = setTimeout(() => {
    isTimedOut = true;
    end(
      new SdfpError(
        'timed_out',
        `Answering the request: not done after ${timeoutMs} ms, needs less work or more time.`,
      ),
    );
  }, timeoutMs);
  const close = (): void => {
    clearTimeout(timer);
    client.removeEventListener('abort', abandon);
    for (const action of actions.splice(0)) action();
  };
  if (client.aborted) abandon();
  else client.addEventListener('abort', abandon, { once: true });
  return {
    signal: controller.signal,
    fork() {
      const fork = new AbortController();
      if (controller.signal.aborted) fork.abort(controller.signal.reason);
      forks.push(fork);
      return fork.signal;
    },
    get isTimedOut() {
      return isTimedOut;
    },
    abandon,
    close,
    onClose: (action) => void actions.push(action),
  };
}
