import { describe, expect, test } from 'bun:test';
import { readServerSentEvents, type ServerSentEvent } from '../../src/client/sse.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A body of the given chunks, which notes whether it was cancelled. */
function bodyOf(chunks: Bytes[]): { body: ReadableStream<Bytes>; isCancelled: () => boolean } {
  let isCancelled = false;
  const left = [...chunks];
  const body = new ReadableStream<Bytes>({
    pull(controller) {
      const chunk = left.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel() {
      isCancelled = true;
    },
  });
  return { body, isCancelled: () => isCancelled };
}

/** The events that have data, without fields that nobody reads. */
async function parse(chunks: Bytes[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const { data, event, id } of readServerSentEvents(bodyOf(chunks).body)) {
    if (data !== undefined) events.push({ data, ...(event && { event }), ...(id && { id }) });
  }
  return events;
}

const bytes = (text: string): Bytes => new TextEncoder().encode(text);
const message = (data: string): ServerSentEvent => ({ data });

const CASES: [name: string, text: string, expected: ServerSentEvent[]][] = [
  ['LF', 'data: a\n\ndata: b\n\n', [message('a'), message('b')]],
  ['CR', 'data: a\r\rdata: b\r\r', [message('a'), message('b')]],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', [message('a'), message('b')]],
  ['empty lines between events', 'data: a\n\n\n\n\ndata: b\n\n', [message('a'), message('b')]],
  ['comments', ': keep-alive\n\n:\n\ndata: a\n: inside\n\n', [message('a')]],
  [
    'numbers',
    'id: 7\ndata: a\n\ndata: b\nid:8\n\n',
    [
      { data: 'a', id: '7' },
      { data: 'b', id: '8' },
    ],
  ],
  ['byte order mark', '\uFEFFdata: a\n\n', [message('a')]],
  ['event names', 'event: error\ndata: a\n\ndata: b\n\n', [{ event: 'error', data: 'a' }, message('b')]],
  ['an event name without data is dropped', 'event: error\n\ndata: b\n\n', [message('b')]],
  ['only one space is removed', 'data:  a\n\ndata:\tb\n\n', [message(' a'), message('\tb')]],
  ['colons in the value', 'data: {"a": "b:c"}\n\n', [message('{"a": "b:c"}')]],
  ['unknown fields', 'retry: 5\nDATA: x\n data: y\ndata: a\n\n', [message('a')]],
  ['empty data', 'data:\n\n', [message('')]],
  ['an unfinished event is dropped', 'data: a\n\ndata: b\n', [message('a')]],
  ['characters of 2, 3 and 4 bytes', 'data: é€🙂\n\n', [message('é€🙂')]],
  ['other line separators are text', 'data: a\u2028b\u0085c\n\n', [message('a\u2028b\u0085c')]],
  ['nothing', '', []],
];

describe('readServerSentEvents()', () => {
  for (const [name, text, expected] of CASES) {
    test(`${name}, whole`, async () => expect(await parse([bytes(text)])).toEqual(expected));
    test(`${name}, byte by byte`, async () => {
      expect(await parse([...bytes(text)].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
    });
    test(`${name}, split in two at every place`, async () => {
      const all = bytes(text);
      for (let at = 0; at <= all.length; at++) {
        expect(await parse([all.subarray(0, at), all.subarray(at)])).toEqual(expected);
      }
    });
  }

  test('yields an event that ends in CR without waiting for more', async () => {
    const { readable, writable } = new TransformStream<Bytes, Bytes>(); // stays open
    writable.getWriter().write(bytes('data: a\r\r'));
    const events = readServerSentEvents(readable);
    expect((await events.next()).value).toEqual(message('a'));
    await events.return(undefined);
  });

  test('cancels the body when the loop is left', async () => {
    const { body, isCancelled } = bodyOf(Array.from({ length: 100 }, () => bytes('data: a\n\n')));
    for await (const _ of readServerSentEvents(body)) break;
    await Bun.sleep(1); // through the decoder
    expect(isCancelled()).toBe(true);
  });
});
