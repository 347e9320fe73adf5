import type { Worker } from 'node:worker_threads';
import {
  countRunning,
  type Engine,
  type EngineEvent,
  type EngineInfo,
  type EngineLoad,
  type EngineProfile,
  type GenerateRequest,
} from '../engine/index.ts';
import type { TokenVocabulary } from '../grammar/index.ts';
import { createDeferred, type Deferred } from '../lib/deferred.ts';
import { SdfpError } from '../lib/errors.ts';
import { EventQueue } from '../lib/event-queue.ts';
import { type FromWorker, type ToWorker, unpackError } from './protocol.ts';

/** How long a worker may take to end its current run and release its session before it is stopped. */
const DISPOSE_GRACE_MS = 10_000;

/** A generation that has not ended. */
interface Live {
  readonly events: EventQueue<EngineEvent>;
  readonly group: string | undefined;
}

/** An engine in another thread. */
export interface EngineWorker extends Engine {
  /** Calls `listener` once when the worker has ended: with the reason if nobody asked for it. */
  onExit(listener: (error: SdfpError | undefined) => void): void;
  /** What tokens spell: needed before the first request with a grammar. */
  setVocabulary(vocabulary: TokenVocabulary): void;
  /** Where the worker's time went since it was ready. */
  profile(): Promise<EngineProfile>;
}

/** The main thread's side of a worker that is ready. Owns the worker. */
export class WorkerEngine implements EngineWorker {
  readonly info: EngineInfo;
  readonly #worker: Worker;
  readonly #maxRunning: number;
  readonly #live: Map<number, Live> = new Map();
  readonly #profiles: Map<number, Deferred<EngineProfile>> = new Map();
  readonly #exit: Deferred<SdfpError | undefined> = createDeferred();
  #nextId = 0;
  #isDisposing = false;
  #crash: unknown;
  #end: SdfpError | undefined;

  constructor(worker: Worker, info: EngineInfo, maxRunning: number) {
    this.info = info;
    this.#worker = worker;
    this.#maxRunning = maxRunning;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => {
      this.#crash = error;
    });
    worker.on('exit', (status) => this.#ended(status));
  }

  async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<EngineEvent, void> {
    signal?.throwIfAborted();
    const id = this.#nextId++;
    const events = new EventQueue<EngineEvent>();
    this.#send({ type: 'generate', id, request });
    this.#live.set(id, { events, group: request.group });
    const abort = () => {
      this.#cancel(id);
      events.fail(signal?.reason);
    };
    signal?.addEventListener('abort', abort);
    try {
      yield* events.drain();
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#cancel(id);
    }
  }

  /** Counted on this side, by the rule that the worker follows. */
  load(): EngineLoad {
    const groups = [...this.#live.values()].map(({ group }) => group);
    const running = countRunning(groups, this.#maxRunning);
    return { running, waiting: this.#live.size - running };
  }

  setVocabulary(vocabulary: TokenVocabulary): void {
    this.#send({ type: 'vocabulary', vocabulary });
  }

  async profile(): Promise<EngineProfile> {
    const id = this.#nextId++;
    this.#send({ type: 'profile', id });
    const answer = createDeferred<EngineProfile>();
    this.#profiles.set(id, answer);
    return answer.promise;
  }

  onExit(listener: (error: SdfpError | undefined) => void): void {
    void this.#exit.promise.then(listener);
  }

  async dispose(): Promise<void> {
    if (!this.#isDisposing && this.#end === undefined) {
      this.#isDisposing = true;
      this.#failAll(new SdfpError('engine_closed', 'cannot generate: the engine was closed'));
      this.#worker.postMessage({ type: 'dispose' } satisfies ToWorker);
      const patience = setTimeout(() => this.#worker.terminate(), DISPOSE_GRACE_MS);
      await this.#exit.promise;
      clearTimeout(patience);
    }
    await this.#exit.promise;
  }

  #send(message: ToWorker): void {
    if (this.#end !== undefined) throw this.#end;
    if (this.#isDisposing) throw new SdfpError('engine_closed', 'cannot generate: the engine was closed');
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'disposed') void this.#worker.terminate();
    else if (message.type === 'profile') this.#profiles.get(message.id)?.resolve(message.profile);
    else if (message.type === 'error') this.#finish(message.id)?.fail(unpackError(message.error));
    else if (message.type === 'event') this.#pass(message.id, message.event);
  }

  #pass(id: number, event: EngineEvent): void {
    this.#live.get(id)?.events.push(event);
    if (event.type === 'done') this.#finish(id)?.close();
  }

  #finish(id: number): EventQueue<EngineEvent> | undefined {
    const live = this.#live.get(id);
    this.#live.delete(id);
    return live?.events;
  }

  #cancel(id: number): void {
    const isLive = this.#live.delete(id);
    if (isLive && this.#end === undefined)
      this.#worker.postMessage({ type: 'cancel', id } satisfies ToWorker);
  }

  #ended(status: number): void {
    const reason = this.#crash instanceof Error ? this.#crash.message : `exit status ${status}`;
    this.#end = new SdfpError('engine_closed', `cannot generate: the engine's worker ended (${reason})`, {
      cause: this.#crash,
    });
    this.#failAll(this.#end);
    this.#exit.resolve(this.#isDisposing ? undefined : this.#end);
  }

  #failAll(error: SdfpError): void {
    for (const { events } of this.#live.values()) events.fail(error);
    for (const answer of this.#profiles.values()) answer.reject(error);
    this.#live.clear();
    this.#profiles.clear();
  }
}
