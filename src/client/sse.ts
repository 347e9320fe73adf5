/** One dispatched server-sent event. */
export interface ServerSentEvent {
  /** The `event:` field; `message` without one. */
  readonly event: string;
  /** The `data:` lines, joined by line feeds. */
  readonly data: string;
}

/** Byte chunks of `body`; the body is cancelled when the loop is left, in whatever way. */
async function* readChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Not `for await (... of body)`: Safari before 26 cannot iterate streams.
  const reader = body.getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
  } finally {
    // Not awaited: a stream may take its time to close. It rejects if the stream has already failed.
    reader.cancel().catch(() => {});
  }
}

/** Lines of `body`, each as soon as its end has arrived: LF, CR or CRLF. A last line without an end is dropped. */
async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder(); // drops a byte order mark, keeps parts of characters for the next chunk
  let rest = '';
  let isAfterCr = false;
  for await (const chunk of readChunks(body)) {
    let text = decoder.decode(chunk, { stream: true });
    if (!text) continue;
    if (isAfterCr && text[0] === '\n') text = text.slice(1); // second half of a CRLF whose line is out already
    isAfterCr = text.endsWith('\r');
    const lines = (rest + text).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/**
 * Parses a stream of server-sent events by https://html.spec.whatwg.org/multipage/server-sent-events.html: comments and
 * unknown fields are ignored, an event without its closing empty line is dropped. `id` and `retry` are not kept, since
 * nothing reconnects.
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent> {
  let event = '';
  let data: string[] = [];
  for await (const line of readLines(body)) {
    if (line === '') {
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n') };
      event = '';
      data = [];
      continue;
    }
    const [field, ...value] = line.split(':');
    const text = value.join(':').replace(/^ /, '');
    if (field === 'data') data.push(text);
    else if (field === 'event') event = text;
  }
}
