import { createDeferred } from '../lib/deferred.ts';

/** Headers of a stream; the last two keep proxies from buffering or compressing it. */
export const SSE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

export interface SseOptions {
  /** Interval of comments while nothing else is sent. */
  readonly keepAliveMs: number;
  /** The client is gone. */
  readonly onCancel: () => void;
}

/** One event; `data` must hold no line feed (JSON has none). */
export function formatEvent(data: string, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`;
}

/**
 * Body of a stream of formatted events, with a comment at once and comments while it waits. It takes an event only when
 * the client has taken the one before, so a slow client grows no buffer here. `events` must not throw.
 */
export function sseBody(events: AsyncGenerator<string>, options: SseOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let pending: Promise<IteratorResult<string>> | undefined;
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(': ok\n\n')),
    async pull(controller) {
      pending ??= events.next();
      const result = await withinMs(pending, options.keepAliveMs);
      if (result === undefined) return controller.enqueue(encoder.encode(': keep-alive\n\n'));
      pending = undefined;
      if (result.done) return controller.close();
      controller.enqueue(encoder.encode(result.value));
    },
    async cancel() {
      options.onCancel();
      await events.return(undefined);
    },
  });
}

/** The value, or undefined if it takes longer. */
async function withinMs<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const late = createDeferred<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
