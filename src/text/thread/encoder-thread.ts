import { Worker } from 'node:worker_threads';
import { createDeferred, type Deferred } from '../../lib/deferred.ts';
import { messageOf, SdfpError } from '../../lib/errors.ts';
import type { EncodeAnswer, EncodeQuestion } from './protocol.ts';

/** A thread with a tokenizer. It takes one question at a time. */
export class EncoderThread {
  hasEnded = false;
  readonly #worker: Worker;
  readonly #ready: Deferred<void> = createDeferred();
  #pending: Deferred<number[]> | undefined;

  /** `dir`: folder of the model. */
  constructor(dir: string) {
    // The files run as they are or compiled, as those of the engine's thread.
    const file = import.meta.url.endsWith('.ts') ? './boot.mjs' : './entry.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: dir });
    this.#worker.on('message', (answer: EncodeAnswer) => this.#receive(answer));
    this.#worker.on('error', (error) => this.#fail(messageOf(error)));
    this.#worker.on('exit', (status) => this.#fail(`exit status ${status}`));
  }

  /** Errors: SdfpError `internal` if the thread ends. */
  encode(question: EncodeQuestion): Promise<number[]> {
    this.#pending = createDeferred();
    void this.#ready.promise.then(() => this.#worker.postMessage(question));
    return this.#pending.promise;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(answer: EncodeAnswer): void {
    if ('isReady' in answer) this.#ready.resolve();
    else if ('ids' in answer) this.#pending?.resolve(answer.ids);
    else this.#pending?.reject(new SdfpError('internal', `Encoding a text: ${answer.problem}.`));
  }

  #fail(reason: string): void {
    this.hasEnded = true;
    const problem = `Encoding a text: the tokenizer's thread ended (${reason}).`;
    this.#pending?.reject(new SdfpError('internal', problem));
  }
}
