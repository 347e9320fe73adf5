/** A stream of formatted events that outlives the connections it is read through. */
export interface HeldStream {
  /**
   * Its events from number `after` + 1 on, then what else comes, each with its number. Whoever read it before is
   * disconnected; a connection that has aborted already gets nothing and disconnects nobody. Undefined: some of the events
   * are not held any more.
   */
  read(after: number, connection: AbortSignal): ReadableStream<Uint8Array> | undefined;
  /** Whether somebody reads it now. */
  readonly isRead: boolean;
  /** Whether its source has ended. */
  readonly isComplete: boolean;
  /** Ends the source and forgets the events; repeating it is harmless. */
  drop(): void;
}

export interface HeldStreamOptions {
  /** How long it is held without a reader, from now on; a complete one is held so long for the sake of the last bytes. */
  readonly keepMs: () => number;
  /** Bytes of the newest events that are held. */
  readonly maxBytes: number;
  /** It is over; nothing can be read any more. */
  readonly onDrop: () => void;
}

/** One event, numbered from 1 on. */
interface HeldEvent {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const COMMENT = ':'.charCodeAt(0);

/**
 * Holds the events of `source`, whose chunks are one whole event or comment each. The source is read at the pace of the
 * reader, and not at all without one.
 */
export function holdStream(source: ReadableStream<Uint8Array>, options: HeldStreamOptions): HeldStream {
  const upstream = source.getReader();
  const events: HeldEvent[] = [];
  let heldBytes = 0;
  let last = 0;
  let isComplete = false;
  let isDropped = false;
  /** The connection that reads now. */
  let current: AbortSignal | undefined;
  let pending: Promise<Uint8Array | undefined> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const drop = (): void => {
    if (isDropped) return;
    isDropped = true;
    clearTimeout(timer);
    events.length = 0;
    // It rejects if the source has failed.
    upstream.cancel().catch(() => {});
    options.onDrop();
  };
  const wait = (): void => {
    clearTimeout(timer);
    if (!isDropped) timer = setTimeout(drop, options.keepMs());
  };
  const detach = (connection: AbortSignal): void => {
    if (current !== connection) return;
    current = undefined;
    wait();
  };

  /** The next chunk of the source, also for a reader that comes while it is waited for; undefined: there is none. */
  function pull(): Promise<Uint8Array | undefined> {
    pending ??= upstream.read().then(
      ({ value }) => {
        pending = undefined;
        return value === undefined ? finish() : keep(value);
      },
      () => finish(),
    );
    return pending;
  }

  function finish(): undefined {
    isComplete = true;
    if (current === undefined) wait();
  }

  /** Comments are passed on, but not held. */
  function keep(value: Uint8Array): Uint8Array {
    if (value[0] === COMMENT) return value;
    const bytes = withNumber(++last, value);
    events.push({ number: last, bytes });
    heldBytes += bytes.length;
    while (heldBytes > options.maxBytes && events.length > 1) heldBytes -= events.shift()!.bytes.length;
    return bytes;
  }

  return {
    drop,
    get isRead() {
      return current !== undefined;
    },
    get isComplete() {
      return isComplete;
    },
    read(after, connection) {
      const first = events[0]?.number ?? last + 1;
      if (isDropped || after + 1 < first || after > last) return undefined;
      if (connection.aborted) {
        if (current === undefined) wait();
        return emptyStream();
      }
      current = connection;
      clearTimeout(timer);
      connection.addEventListener('abort', () => detach(connection), { once: true });
      let next = after + 1;
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          let comment: Uint8Array | undefined;
          while (current === connection && next > last && !isComplete && comment === undefined) {
            const chunk = await pull();
            if (chunk?.[0] === COMMENT) comment = chunk;
          }
          const held = comment ?? (current === connection ? eventOf(next++) : undefined);
          if (held !== undefined) return controller.enqueue(held);
          detach(connection);
          controller.close();
        },
        cancel: () => detach(connection),
      });
    },
  };

  function eventOf(number: number): Uint8Array | undefined {
    return events[number - (events[0]?.number ?? 0)]?.bytes;
  }
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** The event with an `id:` field. */
function withNumber(number: number, event: Uint8Array): Uint8Array {
  const field = new TextEncoder().encode(`id: ${number}\n`);
  const bytes = new Uint8Array(field.length + event.length);
  bytes.set(field);
  bytes.set(event, field.length);
  return bytes;
}
