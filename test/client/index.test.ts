import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { ClientError, type CompletionEvent, createClient } from '../../src/client/index.ts';
import { SCRIPT, SCRIPT_TEXT, startFakeCompletionServer } from '../fakes/completion-server.ts';

const server = await startFakeCompletionServer();
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  Object.assign(server.behaviour, {
    isLoading: false,
    chunkDelayMs: 0,
    failAtChunk: -1,
    breakAtChunk: -1,
    apiKey: undefined,
  });
});

const client = createClient({ baseUrl: server.baseUrl, retryDelayMs: 1 });
const messages = [{ role: 'user', content: 'Hello' }] as const;

/** The error that `promise` rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<ClientError> {
  const error = await promise.then(
    () => undefined,
    (cause) => cause,
  );
  if (!(error instanceof ClientError)) throw new Error(`Expected a ClientError, got ${error}.`);
  return error;
}

async function until(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !isDone(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isDone()).toBe(true);
}

describe('createClient()', () => {
  test('complete() yields texts with origins, then one end', async () => {
    const events: CompletionEvent[] = [];
    for await (const event of client.complete({ prompt: 'Once', seed: 7 })) events.push(event);
    expect(events.slice(0, -1)).toEqual(
      SCRIPT.map(({ text, ids, origin }) => ({
        type: 'text',
        text,
        tokenIds: ids,
        origins: ids.map(() => origin),
      })),
    );
    expect(events.at(-1)).toMatchObject({
      type: 'end',
      finishReason: 'stop',
      requestId: 'fake-1',
      usage: { completion_tokens: 15, completion_tokens_details: { accepted_prediction_tokens: 10 } },
      speculation: { num_spec_steps: 4, mean_acceptance_length: 3.5 },
    });
    expect(server.requests[0]).toMatchObject({
      path: '/v1/completions',
      body: {
        prompt: 'Once',
        seed: 7,
        stream: true,
        stream_options: { include_usage: true },
        return_token_ids: true,
      },
    });
  });

  test('chat() reads deltas and collect() returns all of it', async () => {
    const result = await client.chat({ messages, speculative: { enabled: false } }).collect();
    expect(result.text).toBe(SCRIPT_TEXT);
    expect(result.tokenIds).toHaveLength(15);
    expect(result.origins.filter((origin) => origin === 'draft')).toHaveLength(0);
    expect(result.finishReason).toBe('stop');
    expect(server.requests[0]).toMatchObject({
      path: '/v1/chat/completions',
      body: { messages: [...messages], speculative: { enabled: false } },
    });
  });

  for (const suffix of ['', '/', '/v1', '/v1/']) {
    test(`accepts a base URL that ends in "${suffix}"`, async () => {
      const { text } = await createClient({ baseUrl: server.baseUrl + suffix })
        .complete({ prompt: 'a' })
        .collect();
      expect(text).toBe(SCRIPT_TEXT);
    });
  }

  test('sends nothing until the stream is read, and reads it once', async () => {
    const stream = client.complete({ prompt: 'a' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.requests).toHaveLength(0);
    await stream.collect();
    expect(stream.collect()).rejects.toThrow(TypeError);
  });

  test('sends the key as a bearer token', async () => {
    server.behaviour.apiKey = 'secret';
    const { text } = await createClient({ baseUrl: server.baseUrl, apiKey: 'secret' })
      .complete({ prompt: 'a' })
      .collect();
    expect(text).toBe(SCRIPT_TEXT);
    expect(await errorOf(client.complete({ prompt: 'a' }).collect())).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      message: 'The key is not valid.',
      requestId: 'fake-1',
    });
    expect(server.requests).toHaveLength(2); // 401 is not repeated
  });
});

describe('leaving a stream', () => {
  test('leaving the loop closes the connection', async () => {
    server.behaviour.chunkDelayMs = 20;
    for await (const _ of client.complete({ prompt: 'a' })) break;
    await until(() => server.requests[0]?.isAborted === true);
  });

  test('an abort in the middle rejects with its reason and closes the connection', async () => {
    server.behaviour.chunkDelayMs = 20;
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of client.complete({ prompt: 'a' }, { signal: controller.signal })) {
        setTimeout(() => controller.abort(new Error('enough')), 5);
      }
    };
    expect(read()).rejects.toThrow('enough');
    await until(() => server.requests[0]?.isAborted === true);
  });

  test('an abort stops what has already arrived', async () => {
    const controller = new AbortController();
    let count = 0;
    const read = async () => {
      for await (const _ of client.complete({ prompt: 'a' }, { signal: controller.signal })) {
        count++;
        controller.abort();
      }
    };
    expect(await read().catch((error) => error.name)).toBe('AbortError');
    expect(count).toBe(1);
  });

  test('an abort before the start sends nothing', async () => {
    const stream = client.complete({ prompt: 'a' }, { signal: AbortSignal.abort() });
    expect(await stream.collect().catch((error) => error.name)).toBe('AbortError');
    expect(server.requests).toHaveLength(0);
  });

  test('an abort ends the wait before a repeat', async () => {
    server.behaviour.isLoading = true;
    const patient = createClient({ baseUrl: server.baseUrl, fetch: withRetryAfter('20') });
    const signal = AbortSignal.timeout(30);
    const started = performance.now();
    expect(
      await patient
        .complete({ prompt: 'a' }, { signal })
        .collect()
        .catch((error) => error.name),
    ).toBe('TimeoutError');
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('streams that fail', () => {
  test('an error event after text', async () => {
    server.behaviour.failAtChunk = 3;
    const texts: string[] = [];
    const read = async () => {
      for await (const event of client.complete({ prompt: 'a' }))
        if (event.type === 'text') texts.push(event.text);
    };
    expect(await errorOf(read())).toMatchObject({ code: 'runtime_failed', status: 200, requestId: 'fake-1' });
    expect(texts).toEqual(SCRIPT.slice(0, 3).map(({ text }) => text));
    expect(server.requests).toHaveLength(1);
  });

  test('a connection that breaks after text is not repeated', async () => {
    server.behaviour.breakAtChunk = 2;
    server.behaviour.chunkDelayMs = 20;
    expect((await errorOf(client.complete({ prompt: 'a' }).collect())).code).toBe('stream_interrupted');
    expect(server.requests).toHaveLength(1);
  });

  test('a connection that breaks before the first token is repeated', async () => {
    server.behaviour.breakAtChunk = 0;
    server.behaviour.chunkDelayMs = 20;
    expect((await errorOf(client.complete({ prompt: 'a' }).collect())).code).toBe('stream_interrupted');
    expect(server.requests).toHaveLength(3);
  });

  const sse = { 'content-type': 'text/event-stream' };
  const ODD: [name: string, answer: () => Response, code: string, status: number][] = [
    [
      'a stream without [DONE]',
      () => new Response('data: {"choices":[{"text":"a"}]}\n\n', { headers: sse }),
      'stream_interrupted',
      200,
    ],
    ['an empty stream', () => new Response('', { headers: sse }), 'stream_interrupted', 200],
    [
      'data that is not JSON',
      () => new Response('data: {"choices\n\n', { headers: sse }),
      'stream_interrupted',
      200,
    ],
    [
      'an error without event name',
      () => new Response('data: {"error":{"code":"x"}}\n\n', { headers: sse }),
      'x',
      200,
    ],
    [
      'a page in place of a stream',
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      'http_200',
      200,
    ],
    ['a page in place of an error', () => new Response('<html>', { status: 502 }), 'http_502', 502],
    [
      'an error without code',
      () => Response.json({ error: { type: 't', message: 'm' } }, { status: 400 }),
      't',
      400,
    ],
    ['a body that is null', () => Response.json(null, { status: 500 }), 'http_500', 500],
  ];
  for (const [name, answer, code, status] of ODD) {
    test(name, async () => {
      const odd = createClient({ baseUrl: 'http://odd.test', fetch: async () => answer(), retryDelayMs: 1 });
      expect(await errorOf(odd.complete({ prompt: 'a' }).collect())).toMatchObject({ code, status });
    });
  }

  test('the server is down', async () => {
    const down = createClient({ baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
    const { code, status } = await errorOf(down.complete({ prompt: 'a' }).collect());
    expect({ code, status }).toEqual({ code: 'network', status: undefined });
  });

  test('param names the field', async () => {
    const error = {
      message: 'too hot',
      type: 'invalid_request_error',
      param: 'temperature',
      code: 'invalid_request',
    };
    const strict = createClient({
      baseUrl: 'http://odd.test',
      fetch: async () => Response.json({ error }, { status: 400 }),
    });
    expect((await errorOf(strict.chat({ messages }).collect())).param).toBe('temperature');
  });
});

/** A fetch whose answers are all 503 with this `Retry-After`. */
function withRetryAfter(seconds: string): () => Promise<Response> {
  return async () => new Response('{}', { status: 503, headers: { 'retry-after': seconds } });
}

describe('repeats', () => {
  /** A fetch that fails `failures` times by `fail`, then asks the fake server. */
  function flaky(failures: number, fail: () => Promise<Response>) {
    const times: number[] = [];
    const fetch = (url: string, init: RequestInit) => {
      times.push(performance.now());
      return times.length <= failures ? fail() : globalThis.fetch(url, init);
    };
    return { times, fetch };
  }

  const FAILURES: [name: string, fail: () => Promise<Response>][] = [
    ['429', async () => new Response('{}', { status: 429 })],
    ['503', async () => new Response('{}', { status: 503 })],
    ['a network failure', () => Promise.reject(new TypeError('Failed to fetch'))],
  ];
  for (const [name, fail] of FAILURES) {
    test(`${name} twice, then text`, async () => {
      const { times, fetch } = flaky(2, fail);
      const patient = createClient({ baseUrl: server.baseUrl, fetch, retryDelayMs: 20 });
      expect((await patient.complete({ prompt: 'a' }).collect()).text).toBe(SCRIPT_TEXT);
      expect(times).toHaveLength(3);
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(9); // at least half of 20 ms, less the timer's rounding
      expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(19); // at least half of 40 ms
    });

    test(`${name} three times is an error`, async () => {
      const { times, fetch } = flaky(3, fail);
      await errorOf(
        createClient({ baseUrl: server.baseUrl, fetch, retryDelayMs: 1 }).complete({ prompt: 'a' }).collect(),
      );
      expect(times).toHaveLength(3);
    });
  }

  test('Retry-After is waited for', async () => {
    const { times, fetch } = flaky(1, withRetryAfter('1'));
    await createClient({ baseUrl: server.baseUrl, fetch, retryDelayMs: 1 })
      .complete({ prompt: 'a' })
      .collect();
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(995);
  });

  test('a Retry-After beyond the bound fails at once and is told', async () => {
    const { times, fetch } = flaky(1, withRetryAfter('3600'));
    const error = await errorOf(
      createClient({ baseUrl: server.baseUrl, fetch }).complete({ prompt: 'a' }).collect(),
    );
    expect(error).toMatchObject({ status: 503, retryAfterMs: 3_600_000 });
    expect(times).toHaveLength(1);
  });

  for (const status of [400, 401, 404, 413, 500, 502]) {
    test(`${status} is not repeated`, async () => {
      const { times, fetch } = flaky(9, async () => new Response('{}', { status }));
      const error = await errorOf(
        createClient({ baseUrl: server.baseUrl, fetch }).complete({ prompt: 'a' }).collect(),
      );
      expect(error.status).toBe(status);
      expect(times).toHaveLength(1);
    });
  }
});

test('the client and all it imports is smaller than 3 kB minified', async () => {
  const entrypoints = [fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))];
  const { outputs } = await Bun.build({ entrypoints, minify: true, target: 'browser' });
  expect(outputs).toHaveLength(1);
  const code = await outputs[0]!.text();
  expect(code).toContain('/v1/');
  expect(code.length).toBeLessThan(3000);
});
