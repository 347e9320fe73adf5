/** Runs one thing at a time, which can be stopped. */
export interface Runner {
  readonly isRunning: boolean;
  /** Does nothing while another task runs. */
  run(task: (signal: AbortSignal) => Promise<void>): Promise<void>;
  stop(): void;
}

/** Where a runner tells what happens. */
export interface RunnerEvents {
  readonly onChange: (isRunning: boolean) => void;
  readonly onStopped: () => void;
  readonly onFailure: (error: unknown) => void;
}

export function createRunner(events: RunnerEvents): Runner {
  let running: AbortController | undefined;
  return {
    get isRunning() {
      return running !== undefined;
    },
    async run(task) {
      if (running) return;
      const controller = new AbortController();
      running = controller;
      events.onChange(true);
      try {
        await task(controller.signal);
      } catch (error) {
        if (controller.signal.aborted) events.onStopped();
        else events.onFailure(error);
      } finally {
        running = undefined;
        events.onChange(false);
      }
    },
    stop: () => running?.abort(),
  };
}
