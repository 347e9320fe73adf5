/**
 * A hook that streams one answer at a time into a component. It needs React 18 or newer.
 *
 * ```tsx
 * const client = createClient({ baseUrl: 'http://localhost:3000' });
 * function Story() {
 *   const { text, status, start, stop } = useCompletion();
 *   const tell = () => start((signal) => client.complete({ prompt: 'Once upon a time' }, { signal }));
 *   return <p onClick={status === 'streaming' ? stop : tell}>{text}</p>;
 * }
 * ```
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CompletionResult, CompletionStream } from './types.ts';

/** Where the answer is. `stopped`: by `stop`, what has come stays. */
export type CompletionStatus = 'idle' | 'streaming' | 'done' | 'stopped' | 'failed';

export interface CompletionState {
  readonly status: CompletionStatus;
  /** So far. */
  readonly text: string;
  /** With status `done`. */
  readonly result: CompletionResult | undefined;
  /** With status `failed`: a `ClientError`, unless the program is wrong. */
  readonly error: unknown;
}

export interface UseCompletion extends CompletionState {
  /** Begins an answer; the one before is stopped. The stream must end with `signal`. Stable between renders. */
  readonly start: (ask: (signal: AbortSignal) => CompletionStream) => void;
  /** Stable between renders. */
  readonly stop: () => void;
}

const IDLE: CompletionState = { status: 'idle', text: '', result: undefined, error: undefined };

/** State of one answer and what begins and stops it. An answer ends with its component. */
export function useCompletion(): UseCompletion {
  const [state, setState] = useState(IDLE);
  const running = useRef<AbortController>(undefined);
  const stop = useCallback(() => running.current?.abort(), []);
  const start = useCallback<UseCompletion['start']>((ask) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    // Of an answer that another one follows nothing is shown any more.
    const show = (change: Partial<CompletionState>): void => {
      if (running.current === controller) setState((before) => ({ ...before, ...change }));
    };
    show({ ...IDLE, status: 'streaming' });
    follow(ask, controller.signal, show);
  }, []);
  useEffect(
    () => () => {
      running.current?.abort();
      running.current = undefined;
    },
    [],
  );
  return { ...state, start, stop };
}

/** Shows what comes until it is over. Never throws. */
async function follow(
  ask: (signal: AbortSignal) => CompletionStream,
  signal: AbortSignal,
  show: (change: Partial<CompletionState>) => void,
): Promise<void> {
  let text = '';
  try {
    for await (const event of ask(signal)) {
      if (event.type === 'end') return show({ status: 'done', text: event.text, result: event });
      text += event.text;
      show({ text });
    }
  } catch (error) {
    show(signal.aborted ? { status: 'stopped' } : { status: 'failed', error });
  }
}
