import { Worker } from 'node:worker_threads';
import { createDeferred, type Deferred } from '../../lib/deferred.ts';
import { messageOf, SdfpError } from '../../lib/errors.ts';
import type { EncodeAnswer, EncodeQuestion } from './protocol.ts';

/** A tokenizer in a thread of its own, for texts so long that encoding them would keep this thread from all else. */
export interface ThreadEncoder extends AsyncDisposable {
  /** As `TextCodec.encode`. Errors: SdfpError `internal` if the thread ends. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): Promise<number[]>;
}

/** `dir`: folder of the model. The thread starts with the first text (most servers never get a long one), and again if it ended. */
export function createThreadEncoder(dir: string): ThreadEncoder {
  let thread: EncoderThread | undefined;
  return {
    async encode(text, { addSpecialTokens = true } = {}) {
      if (thread === undefined || thread.hasEnded) thread = new EncoderThread(dir);
      return thread.encode(text, addSpecialTokens);
    },
    async [Symbol.asyncDispose]() {
      await thread?.end();
    },
  };
}

class EncoderThread {
  hasEnded = false;
  readonly #worker: Worker;
  readonly #pending: Map<number, Deferred<number[]>> = new Map();
  #nextId = 0;

  constructor(dir: string) {
    // The files run as they are or compiled, as those of the engine's thread.
    const file = import.meta.url.endsWith('.ts') ? './boot.mjs' : './entry.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: dir });
    this.#worker.on('message', (answer: EncodeAnswer) => this.#receive(answer));
    this.#worker.on('error', (error) => this.#fail(messageOf(error)));
    this.#worker.on('exit', (status) => this.#fail(`exit status ${status}`));
  }

  encode(text: string, addSpecialTokens: boolean): Promise<number[]> {
    const id = this.#nextId++;
    const answer = createDeferred<number[]>();
    this.#pending.set(id, answer);
    this.#worker.postMessage({ id, text, addSpecialTokens } satisfies EncodeQuestion);
    return answer.promise;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(answer: EncodeAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('ids' in answer) pending?.resolve(answer.ids);
    else pending?.reject(new SdfpError('internal', `Encoding a text: ${answer.problem}.`));
  }

  #fail(reason: string): void {
    this.hasEnded = true;
    const error = new SdfpError('internal', `Encoding a text: the tokenizer's thread ended (${reason}).`);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
