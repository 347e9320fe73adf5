const REQUEST_HEADERS = [
  'accept',
  'authorization',
  'content-type',
  'last-event-id',
  // The trace goes on in the instance (W3C Trace Context).
  'traceparent',
  'tracestate',
];
const ANSWER_HEADERS = ['allow', 'cache-control', 'content-type', 'retry-after', 'x-accel-buffering'];

/** What an instance gets. Behind a shared key it still tells the clients' held streams apart, by `x-sdfp-owner`. */
export async function toInstanceHeaders(
  client: Headers,
  id: string,
  instanceKey: string | undefined,
): Promise<Headers> {
  const headers = pick(client, REQUEST_HEADERS);
  headers.set('x-request-id', id);
  if (instanceKey === undefined) return headers;
  const own = new TextEncoder().encode(headers.get('authorization') ?? '');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', own));
  headers.set('x-sdfp-owner', [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
  headers.set('authorization', `Bearer ${instanceKey}`);
  return headers;
}

/** What a client gets of an instance's headers. */
export function toClientHeaders(instance: Headers): Headers {
  return pick(instance, ANSWER_HEADERS);
}

function pick(headers: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}
