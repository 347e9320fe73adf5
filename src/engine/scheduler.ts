import { setImmediate } from 'node:timers';
import { SdfpError } from '../lib/errors.ts';
import { EventQueue } from '../lib/event-queue.ts';
import type { Profiler } from './profiler.ts';
import type { EngineEvent, EngineLoad } from './types.ts';

/** A generation as the scheduler sees it: something that can be started, advanced turn by turn, and released. */
export interface Job {
  /** Takes the resources that a running generation needs; called when its turn in the queue comes. */
  start(): Generator<EngineEvent | undefined, void>;
  /** Gives them back; called once, whether the job was started or not. */
  release(): void;
}

interface Task {
  readonly job: Job;
  readonly events: EventQueue<EngineEvent>;
  turns: Generator<EngineEvent | undefined, void> | undefined;
  /** Time that its turns took, in milliseconds, plus the least of its rivals' when it began. */
  servedMs: number;
}

/**
 * Gives every running generation the same share of the time: the turn is always that of the least served one. A turn is
 * a prefill chunk or a round, and the event loop runs between turns, so new requests and cancellations are seen.
 */
export class Scheduler {
  readonly #limits: { readonly maxRunning: number; readonly maxWaiting: number };
  readonly #profiler: Profiler;
  readonly #running: Task[] = [];
  readonly #waiting: Task[] = [];
  #isTurning = false;
  #isClosed = false;

  constructor(limits: { readonly maxRunning: number; readonly maxWaiting: number }, profiler: Profiler) {
    this.#limits = limits;
    this.#profiler = profiler;
  }

  get load(): EngineLoad {
    return { running: this.#running.length, waiting: this.#waiting.length };
  }

  /** Queues a job and yields its events. Leaving the iteration, or aborting, releases the job at once. */
  async *run(job: Job, signal?: AbortSignal): AsyncGenerator<EngineEvent, void> {
    signal?.throwIfAborted();
    const task = this.#submit(job);
    const abort = () => this.#fail(task, signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      yield* task.events.drain();
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#remove(task);
    }
  }

  /** Ends every generation with `engine_closed`; later ones are refused with it. */
  close(): void {
    this.#isClosed = true;
    for (const task of [...this.#running, ...this.#waiting]) this.#fail(task, closedError());
  }

  #submit(job: Job): Task {
    if (this.#isClosed) throw closedError();
    const { maxRunning, maxWaiting } = this.#limits;
    if (this.#running.length + this.#waiting.length >= maxRunning + maxWaiting) {
      throw new SdfpError(
        'engine_busy',
        `cannot take the request: ${this.#running.length} are running and ${this.#waiting.length} waiting, ` +
          `the limits are ${maxRunning} and ${maxWaiting}; try again later`,
      );
    }
    const task: Task = { job, events: new EventQueue(), turns: undefined, servedMs: 0 };
    this.#waiting.push(task);
    this.#admit();
    if (!this.#isTurning) this.#scheduleTurn();
    return task;
  }

  #scheduleTurn(): void {
    this.#isTurning = this.#running.length > 0;
    if (this.#isTurning) setImmediate(() => this.#turn());
  }

  #turn(): void {
    const task = leastServed(this.#running);
    if (task !== undefined) this.#advance(task);
    this.#scheduleTurn();
  }

  #admit(): void {
    while (this.#running.length < this.#limits.maxRunning && this.#waiting.length > 0) {
      const task = this.#waiting.shift()!;
      task.servedMs = leastServed(this.#running)?.servedMs ?? 0;
      this.#running.push(task);
    }
  }

  #advance(task: Task): void {
    const started = performance.now();
    try {
      task.turns ??= task.job.start();
      const { value, done } = task.turns.next();
      if (value) task.events.push(value);
      if (done === true) this.#complete(task);
    } catch (error) {
      this.#fail(task, error);
    }
    const ms = performance.now() - started;
    task.servedMs += ms;
    this.#profiler.addTurn(ms);
  }

  #complete(task: Task): void {
    this.#remove(task);
    task.events.close();
  }

  #fail(task: Task, error: unknown): void {
    this.#remove(task);
    task.events.fail(error);
  }

  /** Frees the task's place and resources; harmless when it has none any more. */
  #remove(task: Task): void {
    if (removeItem(this.#running, task) || removeItem(this.#waiting, task)) task.job.release();
    this.#admit();
  }
}

function leastServed(tasks: readonly Task[]): Task | undefined {
  let least: Task | undefined;
  for (const task of tasks) if (least === undefined || task.servedMs < least.servedMs) least = task;
  return least;
}

function removeItem<T>(items: T[], item: T): boolean {
  const index = items.indexOf(item);
  if (index >= 0) items.splice(index, 1);
  return index >= 0;
}

function closedError(): SdfpError {
  return new SdfpError('engine_closed', 'cannot generate: the engine was closed');
}
