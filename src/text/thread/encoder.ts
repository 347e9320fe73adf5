import { createDeferred, type Deferred } from '../../lib/deferred.ts';
import { SdfpError } from '../../lib/errors.ts';
import { EncoderThread } from './encoder-thread.ts';
import type { EncodeQuestion } from './protocol.ts';

export interface EncodeOptions {
  /** Default true. */
  readonly addSpecialTokens?: boolean;
  /** A text that still waits when it aborts is never encoded; one in the thread may end with the thread. */
  readonly signal?: AbortSignal | undefined;
}

/** A tokenizer in a thread of its own, for texts so long that encoding them would keep this thread from all else. */
export interface ThreadEncoder extends AsyncDisposable {
  /**
   * As `TextCodec.encode`; settles when the thread has no more to do with the text. The shortest text that waits goes
   * first. Errors: the signal's reason; SdfpError `internal` if the thread ends, `engine_closed` after disposal.
   */
  encode(text: string, options?: EncodeOptions): Promise<number[]>;
}

export interface ThreadEncoderOptions {
  /**
   * How long the thread goes on with a text whose signal aborted; then it is ended, and another starts for the next text.
   * Default 500, in which a large tokenizer is loaded; 2 MB of random letters take up to 7 s.
   */
  readonly abandonedMs?: number;
}

interface Waiting extends EncodeQuestion {
  readonly ids: Deferred<number[]>;
  readonly signal: AbortSignal | undefined;
}

/** `dir`: folder of the model. The thread starts with the first text (most servers never get a long one), and again if it ended. */
export function createThreadEncoder(
  dir: string,
  { abandonedMs = 500 }: ThreadEncoderOptions = {},
): ThreadEncoder {
  const waiting = new Set<Waiting>();
  let thread: EncoderThread | undefined;
  let isRunning = false;
  let isDisposed = false;

  async function encodeNow({ ids, signal, ...question }: Waiting): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abandon = (): void => {
      timer = setTimeout(() => void thread?.end(), abandonedMs);
    };
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      if (thread === undefined || thread.hasEnded) thread = new EncoderThread(dir);
      ids.resolve(await thread.encode(question));
    } catch (error) {
      ids.reject(isDisposed ? closedError() : signal?.aborted ? signal.reason : error);
    } finally {
      signal?.removeEventListener('abort', abandon);
      clearTimeout(timer);
    }
  }

  /** One at a time: what the thread has been given can be taken back only by ending it. */
  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    for (let next = shortest(waiting); next !== undefined; next = shortest(waiting)) {
      waiting.delete(next);
      await encodeNow(next);
    }
    isRunning = false;
  }

  return {
    async encode(text, { addSpecialTokens = true, signal } = {}) {
      signal?.throwIfAborted();
      if (isDisposed) throw closedError();
      const entry: Waiting = { text, addSpecialTokens, signal, ids: createDeferred() };
      const leave = (): void => {
        if (waiting.delete(entry)) entry.ids.reject(signal?.reason);
      };
      waiting.add(entry);
      signal?.addEventListener('abort', leave, { once: true });
      void run();
      try {
        return await entry.ids.promise;
      } finally {
        signal?.removeEventListener('abort', leave);
      }
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      for (const { ids } of waiting) ids.reject(closedError());
      waiting.clear();
      await thread?.end();
    },
  };
}

function shortest(waiting: ReadonlySet<Waiting>): Waiting | undefined {
  let best: Waiting | undefined;
  for (const entry of waiting) if (best === undefined || entry.text.length < best.text.length) best = entry;
  return best;
}

function closedError(): SdfpError {
  return new SdfpError('engine_closed', 'Encoding a text: the tokenizer was disposed of, needs a new one.');
}
