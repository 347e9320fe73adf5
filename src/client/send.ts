import { ClientError } from './errors.ts';
import { toClientError, type WireError } from './events.ts';
import { parseRetryAfter } from './retry.ts';
import type { ClientOptions, GenerationParams } from './types.ts';

/**
 * Sends one streaming request and returns its answer, whose body is an event stream not yet read. Any other answer, or
 * none, is a {@linkcode ClientError}.
 */
export async function send(
  options: ClientOptions,
  url: string,
  params: GenerationParams,
  signal: AbortSignal | undefined,
): Promise<Response> {
  // Not called as `options.fetch(...)`: browsers refuse a fetch whose `this` is not the window.
  const { fetch = globalThis.fetch, apiKey } = options;
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'text/event-stream' };
  if (apiKey) headers.authorization = `Bearer ${apiKey}`;
  const body = { return_token_ids: true, ...params, stream: true, stream_options: { include_usage: true } };
  const init = { method: 'POST', headers, body: JSON.stringify(body), signal: signal ?? null };
  const response = await fetch(url, init).catch((cause) => {
    throw new ClientError('network', `POST ${url}: no answer.`, { cause });
  });
  if (!response.ok) throw await readError(response);
  const type = response.headers.get('content-type') ?? 'no content-type';
  if (response.body && /^text\/event-stream\b/i.test(type)) return response;
  await response.body?.cancel();
  throw new ClientError('bad_response', `POST ${url}: ${type} came where an event stream was asked for.`, {
    status: response.status,
  });
}

async function readError(response: Response): Promise<ClientError> {
  const { status, headers } = response;
  // A proxy in between may answer with a page of its own.
  const body: { error?: WireError } | null = await response.json().catch(() => null);
  return toClientError(body?.error ?? {}, {
    status,
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterMs: parseRetryAfter(headers.get('retry-after'), Date.now()),
  });
}
