import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createEdge } from '../../functions/edge.ts';
import { createClient } from '../../src/client/index.ts';
import { mustSkip } from '../runtimes/locate.ts';
import { readChunks, textOf } from '../server/harness.ts';
import { type EdgeHost, type StartEdge, startInBun, startInDeno, startInWorkerd } from './edge-hosts.ts';
import { ANSWER, type Instances, startInstances } from './instances.ts';

const BODY = { prompt: 'Once', stream: true, max_tokens: 100 };
const TIMEOUT_MS = 30_000;

const HOSTS: [name: string, start: StartEdge][] = [
  ['Bun', startInBun],
  ['workerd', startInWorkerd],
];
if (!mustSkip('deno')) HOSTS.push(['Deno with no permission but net', startInDeno]);

async function until(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !isDone(); i++) await Bun.sleep(5);
  expect(isDone()).toBe(true);
}

describe.each(HOSTS)('the gateway in %s', (_, start) => {
  let instances: Instances;
  let edge: EdgeHost;

  beforeAll(async () => {
    instances = await startInstances();
    edge = await start({ INSTANCES: instances.urls.join(','), API_KEY: 'one, two', INSTANCE_KEY: 'inner' });
  }, TIMEOUT_MS);

  afterAll(async () => {
    await edge?.stop();
    await instances?.[Symbol.asyncDispose]();
  }, TIMEOUT_MS);

  const ask = (headers: Record<string, string> = {}, init: RequestInit & { body?: string } = {}) =>
    fetch(`${edge.url}/v1/completions`, {
      method: 'POST',
      body: JSON.stringify(BODY),
      ...init,
      headers: { authorization: 'Bearer two', ...headers },
    });

  test('asks for a key, and does not let it through', async () => {
    for (const authorization of ['', 'Bearer inner', 'Bearer three']) {
      const response = await ask({ authorization });
      expect(response.status).toBe(401);
      expect((await response.json()).error.code).toBe('invalid_api_key');
    }
    expect((await fetch(`${edge.url}/metrics`)).status).toBe(404);
    expect(await (await fetch(`${edge.url}/live`)).json()).toEqual({ status: 'ok' });
  });

  test('forwards no path that it does not know', async () => {
    const logged = instances.working.log.length;
    for (const path of ['/v1/..%2fmetrics', '/v1/models/..%2f..%2fmetrics', '/v1/files']) {
      const response = await fetch(edge.url + path, { headers: { authorization: 'Bearer two' } });
      expect(response.status).toBe(404);
      expect((await response.json()).error.code).toBe('not_found');
    }
    expect(instances.working.log).toHaveLength(logged);
  });

  test('finds the instance that works, whichever it asks first', async () => {
    for (let i = 0; i < 12; i++) {
      const response = await ask({ 'x-request-id': `try-${i}` });
      expect(response.headers.get('x-request-id')).toBe(`try-${i}`);
      expect(response.headers.get('content-type')).toStartWith('text/event-stream');
      expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
      expect(textOf(await readChunks(response))).toBe(ANSWER);
    }
    expect(instances.refused.every((count) => count > 0)).toBe(true);
    expect(instances.working.log.filter((line) => line.includes('"try-7"'))).toHaveLength(1);
  });

  test('passes refusals on: the last one if all are busy, others at once', async () => {
    const busy = await ask({}, { body: JSON.stringify({ ...BODY, prompt: 'too much' }) });
    expect([429, 503]).toContain(busy.status);
    expect(busy.headers.get('retry-after')).toBe('7');
    expect((await busy.json()).error.code).toBe('engine_busy');
    const bad = await ask({}, { body: JSON.stringify({ ...BODY, temperature: 9 }) });
    expect(bad.status).toBe(400);
    expect((await bad.json()).error.param).toBe('temperature');
  });

  test('streams through', async () => {
    const ended = instances.working.engine.ended();
    const reader = (await ask()).body!.getReader();
    const decoder = new TextDecoder();
    let text = '';
    while (!text.includes('data: ')) text += decoder.decode((await reader.read()).value, { stream: true });
    expect(instances.working.engine.ended()).toBe(ended);
    for (let step = await reader.read(); !step.done; step = await reader.read())
      text += decoder.decode(step.value);
    expect(text).toEndWith('data: [DONE]\n\n');
  });

  test('a client that leaves ends the generation', async () => {
    const { engine } = instances.working;
    const begun = engine.begun();
    const rounds = engine.rounds();
    const controller = new AbortController();
    const response = await ask({}, { signal: controller.signal });
    await response.body!.getReader().read();
    expect(engine.begun()).toBe(begun + 1);
    controller.abort();
    await until(() => engine.ended() === engine.begun());
    expect(engine.rounds() - rounds).toBeLessThan(12); // of 16
  });

  test('a client that resumes comes to the instance that holds its stream', async () => {
    const begun = instances.working.engine.begun();
    const client = createClient({
      baseUrl: edge.url,
      apiKey: 'one',
      resume: true,
      retryDelayMs: 1,
      fetch: breakOnce(),
    });
    expect((await client.complete({ prompt: 'Once', max_tokens: 100 }).collect()).text).toBe(ANSWER);
    expect(instances.working.engine.begun()).toBe(begun + 1);
  });
});

/** A fetch whose first body breaks after some chunks. */
function breakOnce(): (url: string, init: RequestInit) => Promise<Response> {
  let requests = 0;
  return async (url, init) => {
    const response = await fetch(url, init);
    if (requests++ > 0 || response.body === null) return response;
    let left = 4;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (left-- > 0) controller.enqueue(chunk);
        else controller.error(new TypeError('network lost'));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
}

describe('createEdge()', () => {
  test.each([
    [{}, /INSTANCES.*undefined/],
    [{ INSTANCES: 'ftp://a' }, /INSTANCES.*ftp/],
    [{ INSTANCES: 'http://a', INSTANCE_KEY: 'inner' }, /INSTANCE_KEY.*API_KEY/],
    [{ INSTANCES: 'http://a', INSTANCE_KEY: 'inner', API_KEY: ' , ' }, /INSTANCE_KEY.*API_KEY/],
    [{ INSTANCES: 'http://a', FIRST_BYTE_TIMEOUT_MS: '0' }, /FIRST_BYTE_TIMEOUT_MS.*"0"/],
  ])('refuses %j', (environment, message) => {
    expect(() => createEdge(environment)).toThrow(message);
  });

  test('an instance that says nothing in time is left', async () => {
    const silent = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => new Promise<Response>(() => {}),
    });
    const environment = { INSTANCES: `http://127.0.0.1:${silent.port}`, FIRST_BYTE_TIMEOUT_MS: '30' };
    const request = new Request('http://edge/v1/completions', { method: 'POST', body: '{}' });
    const log: string[] = [];
    const response = await createEdge(environment, (line) => log.push(line))(request);
    expect(response.status).toBe(502);
    expect((await response.json()).error).toMatchObject({ code: 'no_instance', type: 'server_error' });
    expect(JSON.parse(log[0]!).error).toStartWith(`${environment.INSTANCES}: no first byte within 30 ms`);
    await silent.stop(true);
  });
});
