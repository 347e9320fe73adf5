import { ClientError } from './errors.ts';
import type { ClientOptions, GenerationParams } from './types.ts';

/**
 * Sends one request and returns its answer, whose body is an event stream not yet read. With `options.resume` the server
 * is asked to number the events and to hold them: `lastEventId` says after which one the answer
 * begins, or `end`: that the stream is not wanted any more. Errors: any
 * other answer, or none, is a `ClientError`.
 */
export type Send = (lastEventId: string, signal?: AbortSignal) => Promise<Response>;

export function createSend(options: ClientOptions, url: string, params: GenerationParams): Send {
  // Not called as `options.fetch(...)`: browsers refuse a fetch whose `this` is not the window.
  const { fetch = globalThis.fetch, apiKey, resume } = options;
  const body = JSON.stringify({
    return_token_ids: true,
    ...params,
    stream: true,
    stream_options: { include_usage: true },
  });
  // Not `randomUUID`: browsers have it on secure pages only.
  const id = crypto.getRandomValues(new Uint32Array(4)).join('-');
  return async (lastEventId, signal) => {
    const headers = {
      'content-type': 'application/json',
      ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      ...(resume && { 'x-request-id': id, 'last-event-id': lastEventId }),
    };
    const response = await fetch(url, { method: 'POST', headers, body, signal: signal ?? null }).catch(
      (cause) => {
        throw new ClientError({ code: 'network', message: `${url}: no answer.` }, undefined, cause);
      },
    );
    if (response.ok && response.headers.get('content-type')?.includes('event-stream')) return response;
    // A proxy in between may answer with a page of its own.
    throw new ClientError((await response.json().catch(() => null))?.error, response);
  };
}
