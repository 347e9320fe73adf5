import { abortable } from '../lib/abortable.ts';
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
  /** The answer is complete (or refused); repeating it is harmless. */
  close(): void;
  /** Runs `action` when it ends (at once if it has ended), and no sooner than the work given to `outlast` is over. */
  onClose(action: () => void): void;
  /** The result of work that cannot be broken off. Errors: those of the work; the reason of `signal` if it ends first. */
  outlast<T>(work: Promise<T>): Promise<T>;
}

/** `client`: aborts when the connection breaks. */
export function openScope(client: AbortSignal, timeoutMs: number): RequestScope {
  const controller = new AbortController();
  const actions: (() => void)[] = [];
  let isTimedOut = false;
  let isClosed = false;
  let works = 0;
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
    isClosed = true;
    settle();
  };
  const settle = (): void => {
    if (isClosed && works === 0) for (const action of actions.splice(0)) action();
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
    onClose(action) {
      actions.push(action);
      settle();
    },
    outlast(work) {
      works++;
      const end = (): void => {
        works--;
        settle();
      };
      work.then(end, end);
      return abortable(work, controller.signal);
    },
  };
}
