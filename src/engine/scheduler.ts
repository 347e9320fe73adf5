import { setImmediate } from 'node:timers';
import { SdfpError } from '../lib/errors.ts';
import { EventQueue } from '../lib/event-queue.ts';
import { Groups, leastServed, nextToStart, type Share } from './fair-share.ts';
import type { Profiler } from './profiler.ts';
import type { RoundStep, Turns } from './turns.ts';
import type { EngineEvent, EngineLoad } from './types.ts';

/** A generation as the scheduler sees it: something that can be started, advanced turn by turn, and released. */
export interface Job {
  /** Takes the resources that a running generation needs; called when its turn in the queue comes. */
  start(): Turns;
  /** Gives them back; called once, whether the job was started or not. `isSound`: it did not fail. */
  release(isSound: boolean): void;
  /** Jobs of one group share the time of one, and leave places to others; undefined: a group of its own. */
  readonly group?: string | undefined;
}

interface Task extends Share {
  readonly job: Job;
  readonly events: EventQueue<EngineEvent>;
  turns: Turns | undefined;
  /** What it waits for. */
  step: RoundStep | undefined;
  /** The prompt is done: a turn takes it to its next step, and it can wait there for others. */
  isDecoding: boolean;
}

/** Runs the first of the steps and those that can share its run; the logits of those that ran. */
export type RunSteps = (steps: readonly RoundStep[]) => readonly (Float32Array | undefined)[];

export interface SchedulerLimits {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

/**
 * Gives every group that runs the same share of the time, and every generation the same share of its group's: the turn
 * is always that of the least served one. A turn is a prefill chunk, a draft, or a target step, which others that are
 * ready for theirs share (continuous batching; Yu et al. 2022, Orca). The event loop runs between turns, so new requests
 * and cancellations are seen. A free place goes to the group with the fewest, so that a request of many
 * generations keeps none of one waiting.
 */
export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #runSteps: RunSteps;
  readonly #profiler: Profiler;
  readonly #running: Task[] = [];
  readonly #waiting: Task[] = [];
  readonly #groups: Groups = new Groups();
  #isTurning = false;
  #isClosed = false;

  constructor(limits: SchedulerLimits, runSteps: RunSteps, profiler: Profiler) {
    this.#limits = limits;
    this.#runSteps = runSteps;
    this.#profiler = profiler;
  }

  get load(): EngineLoad {
    return { running: this.#running.length, waiting: this.#waiting.length };
  }

  /** Queues a job and yields its events. Leaving the iteration, or aborting, releases the job at once. */
  async *run(job: Job, signal?: AbortSignal): AsyncGenerator<EngineEvent, void> {
    signal?.throwIfAborted();
    const task = this.#submit(job);
    const abort = () => this.#fail(task, signal?.reason, true);
    signal?.addEventListener('abort', abort);
    try {
      yield* task.events.drain();
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#remove(task, true);
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
    const group = this.#groups.enter(job.group);
    const task: Task = {
      job,
      events: new EventQueue(),
      turns: undefined,
      step: undefined,
      isDecoding: false,
      servedMs: 0,
      group,
    };
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
    // Who is between two steps gets to the next one first, so that it can share the run.
    const joining = task?.step === undefined ? task : this.#running.find(isBetweenSteps);
    if (joining !== undefined) this.#advanceAlone(joining);
    else if (task !== undefined) this.#runTogether(task);
    this.#scheduleTurn();
  }

  #admit(): void {
    while (this.#running.length < this.#limits.maxRunning) {
      const task = nextToStart(this.#waiting, this.#limits.maxRunning);
      if (task === undefined) return;
      removeItem(this.#waiting, task);
      this.#groups.start(task, this.#running);
      this.#running.push(task);
    }
  }

  /** The step of `first`, and those of all others that can share its run. */
  #runTogether(first: Task): void {
    const others = this.#running.filter((task) => task !== first && task.step !== undefined);
    this.#account(() => this.#runOrFail([first, ...others]));
  }

  /** Returns the tasks that ran. */
  #runOrFail(tasks: readonly Task[]): readonly Task[] {
    try {
      const logits = this.#runSteps(tasks.map(({ step }) => step!));
      const ran = tasks.filter((_, i) => logits[i] !== undefined);
      for (const [i, task] of tasks.entries()) if (logits[i] !== undefined) this.#advance(task, logits[i]);
      return ran;
    } catch (error) {
      // Whose step it was that failed shows when each runs alone.
      if (tasks.length === 1) this.#fail(tasks[0]!, error);
      else for (const task of tasks) this.#runOrFail([task]);
      return tasks;
    }
  }

  /** To its next event or step. */
  #advance(task: Task, logits?: Float32Array): void {
    task.step = undefined;
    try {
      task.turns ??= task.job.start();
      const { value, done } = task.turns.next(logits);
      if (value?.type === 'step') task.step = value;
      else if (value) task.events.push(value);
      if (value?.type === 'tokens') task.isDecoding = true;
      if (done === true) this.#complete(task);
    } catch (error) {
      this.#fail(task, error);
    }
  }

  #advanceAlone(task: Task): void {
    this.#account(() => {
      this.#advance(task);
      return [task];
    });
  }

  /**
   * Runs a turn and charges it to those that took part in it, which it returns: a round to those that shared it, in equal
   * parts; a part of a prompt as if all that are running had shared it, else prompts would wait for the cheap rounds of many.
   */
  #account(turn: () => readonly Task[]): void {
    const numRunning = this.#running.length;
    const started = performance.now();
    const served = turn();
    const ms = performance.now() - started;
    for (const task of served) {
      const charged = ms / (task.isDecoding ? served.length : numRunning);
      task.servedMs += charged;
      task.group.servedMs += charged;
    }
    this.#profiler.addTurn(ms);
  }

  #complete(task: Task): void {
    task.events.close();
    this.#remove(task, true);
  }

  #fail(task: Task, error: unknown, isSound = false): void {
    task.events.fail(error);
    this.#remove(task, isSound);
  }

  /** Frees the task's place and resources; harmless when it has none any more. */
  #remove(task: Task, isSound: boolean): void {
    const wasRunning = removeItem(this.#running, task);
    if (wasRunning || removeItem(this.#waiting, task)) {
      this.#groups.leave(task.group, wasRunning);
      task.job.release(isSound);
    }
    this.#admit();
  }
}

function isBetweenSteps({ step, isDecoding }: Task): boolean {
  return isDecoding && step === undefined;
}

function removeItem<T>(items: T[], item: T): boolean {
  const index = items.indexOf(item);
  if (index >= 0) items.splice(index, 1);
  return index >= 0;
}

function closedError(): SdfpError {
  return new SdfpError('engine_closed', 'cannot generate: the engine was closed');
}
