import { constants } from 'node:os';
import process from 'node:process';
import { createEchoFilter } from '../lib/signal-echo.ts';

/** Why a command should stop early. */
export interface Signals extends Disposable {
  readonly signal: AbortSignal;
  /** Exit status if it stops because of that; undefined while nothing happened. */
  readonly status: number | undefined;
}

const WATCHED = ['SIGINT', 'SIGTERM'] as const;

/**
 * Turns Ctrl-C, SIGTERM and a reader that closed our pipe (`| head`) into an abort, so that commands clean up. A second
 * signal ends the process at once. Disposing stops watching.
 */
export function watchSignals(): Signals {
  const controller = new AbortController();
  let status: number | undefined;
  const abort = (exitStatus: number): void => {
    status = exitStatus;
    controller.abort();
  };
  const isOwnSignal = createEchoFilter();
  const onSignal = (name: (typeof WATCHED)[number]): void => {
    if (!isOwnSignal()) return;
    const exitStatus = 128 + constants.signals[name];
    if (status !== undefined) process.exit(exitStatus);
    abort(exitStatus);
  };
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    // The reader has what it wanted: no failure.
    abort(0);
  };
  for (const name of WATCHED) process.on(name, onSignal);
  // Never taken off again: writes that are still on their way may fail after the command ended.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onError);
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    [Symbol.dispose]: () => {
      for (const name of WATCHED) process.off(name, onSignal);
    },
  };
}
