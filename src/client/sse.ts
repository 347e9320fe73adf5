/** Fields of one server-sent event; others than these are kept, too. */
export interface ServerSentEvent {
  readonly data?: string;
  readonly event?: string;
  readonly id?: string;
}

/**
 * Parses a stream of server-sent events by https://html.spec.whatwg.org/multipage/server-sent-events.html, each as soon
 * as it is complete; an event without its closing empty line is dropped, one of comments only has no fields but an empty name. Simpler than
 * there, as no server of this API needs more: of several `data` lines the last one counts, and all lines of a stream end
 * alike (LF, CR or CRLF). The body is cancelled when the loop is left, in whatever way.
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ServerSentEvent> {
  // Not `for await (... of body)`: Safari before 26 cannot iterate streams.
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      const blocks = (rest + step.value).split(/\n\n|\r\r|\r\n\r\n/);
      rest = blocks.pop()!;
      for (const block of blocks) {
        yield Object.fromEntries(block.split(/[\r\n]+/).map((line) => line.split(/: ?(.*)/s)));
      }
    }
  } finally {
    // Not awaited: a stream may take its time to close. It rejects if the stream has already failed.
    reader.cancel().catch(() => {});
  }
}
