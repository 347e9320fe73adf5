import { describe, expect, test } from 'bun:test';
import { createHealthApp, createModelHost } from '../../src/server/index.ts';
import { createHarness } from './harness.ts';

describe('health', () => {
  test('tells loading, ready, draining and failed', async () => {
    const { get, host, load } = createHarness({ isLoading: true });
    const statuses = async () =>
      Promise.all(['/live', '/health', '/ping'].map(async (path) => (await get(path)).status));
    expect(await statuses()).toEqual([200, 503, 204]);
    load();
    expect(await statuses()).toEqual([200, 200, 200]);
    expect(await (await get('/health')).json()).toEqual({
      state: 'ready',
      model: 'org/bytes',
      provider: 'scripted',
      threads: null,
    });
    host.drain();
    expect(await statuses()).toEqual([200, 503, 503]);
    host.fail();
    expect(await (await get('/health')).json()).toMatchObject({ state: 'failed' });
  });

  test('createHealthApp() answers probes and nothing else', async () => {
    const app = createHealthApp({ host: createModelHost() });
    expect((await app.request('/ping')).status).toBe(204);
    expect((await app.request('/v1/models')).status).toBe(404);
    expect((await app.request('/ping', { method: 'POST' })).status).toBe(405);
  });

  test('a request waits for the model; draining refuses it with Retry-After', async () => {
    const { post, load, host } = createHarness({ isLoading: true });
    const early = post('/v1/completions', { prompt: 'abc' });
    load();
    expect((await (await early).json()).choices[0].text).toBe('abc');
    host.drain();
    const late = await post('/v1/completions', { prompt: 'abc' });
    expect(late.status).toBe(503);
    expect(late.headers.get('retry-after')).toBe('1');
  });

  test('waiting for the model ends with the time limit', async () => {
    const { post } = createHarness({ isLoading: true, limits: { requestTimeoutMs: 20 } });
    expect((await post('/v1/completions', { prompt: 'abc' })).status).toBe(504);
  });
});

describe('models', () => {
  test('list and single object are the same', async () => {
    const { get } = createHarness();
    const { object, data } = await (await get('/v1/models')).json();
    expect(object).toBe('list');
    expect(data).toEqual([
      { id: 'org/bytes', object: 'model', created: 1_700_000_000, owned_by: 'sdfp', max_model_len: 512 },
    ]);
    expect(await (await get('/v1/models/org/bytes')).json()).toEqual(data[0]);
    expect(await (await get('/v1/models/org%2Fbytes')).json()).toEqual(data[0]);
    const unknown = await get('/v1/models/none');
    expect(unknown.status).toBe(404);
    expect((await unknown.json()).error.code).toBe('model_not_found');
  });

  test('/plan shows what the host was given', async () => {
    const { get } = createHarness();
    expect(await (await get('/plan')).json()).toMatchObject({
      has_draft: true,
      inspect: { dropped: ['0.attn'] },
    });
  });
});

describe('tokens', () => {
  test('there and back', async () => {
    const { post } = createHarness();
    const answer = await (await post('/tokenize', { prompt: 'hé' })).json();
    expect(answer).toEqual({ tokens: [104, 0xc3, 0xa9], count: 3, max_model_len: 512 });
    expect(await (await post('/detokenize', { tokens: answer.tokens })).json()).toEqual({ prompt: 'hé' });
  });

  test('of a conversation', async () => {
    const { post } = createHarness();
    const { tokens } = await (await post('/tokenize', { messages: [{ role: 'user', content: 'a' }] })).json();
    expect(String.fromCharCode(...tokens)).toBe('<user>a<assistant>');
  });
});

describe('headers', () => {
  test('an own request id is kept if it is harmless, exposed, and in the log', async () => {
    const { get, log } = createHarness();
    expect((await get('/live', { 'x-request-id': 'my.id-1' })).headers.get('x-request-id')).toBe('my.id-1');
    for (const bad of ['a b', 'x'.repeat(129), '<script>']) {
      const id = (await get('/nothing', { 'x-request-id': bad })).headers.get('x-request-id');
      expect(id).toMatch(/^[\w-]{36}$/);
    }
    expect(JSON.parse(log[0]!)).toMatchObject({ id: 'my.id-1', method: 'GET', path: '/live', status: 200 });
  });

  test.each(['/live', '/nothing', '/v1/models', '/metrics'])('nosniff and an id on %s', async (path) => {
    const { headers } = await createHarness().get(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-request-id')).not.toBeNull();
  });

  test('streams have both too', async () => {
    const response = await createHarness().post('/v1/completions', { prompt: 'a', stream: true });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('x-request-id')).not.toBeNull();
    await response.text();
  });
});

describe('cross-origin requests', () => {
  const origin = 'https://page.example';

  test('any origin without a key, never with credentials', async () => {
    const { get, request } = createHarness();
    const { headers } = await get('/v1/models', { origin });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('access-control-expose-headers')).toContain('x-request-id');
    const preflight = await request('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-own' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('x-own');
  });

  test('with a key only listed origins, also on the preflight and on errors', async () => {
    const options = { apiKeys: ['secret'], corsOrigins: [origin] };
    const { get, request } = createHarness(options);
    const refused = await get('/v1/models', { origin });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
    const other = await get('/v1/models', { origin: 'https://evil.example' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    expect((await request('/v1/completions', { method: 'OPTIONS', headers })).status).toBe(204);
  });

  test('with a key and no list no origin', async () => {
    const { get } = createHarness({ apiKeys: ['secret'] });
    expect((await get('/live', { origin })).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('keys', () => {
  const { get, log } = createHarness({ apiKeys: ['first', 'second'] });

  test.each(['/v1/models', '/plan', '/metrics', '/v1/models/org/bytes'])('%s needs one', async (path) => {
    for (const authorization of ['', 'Bearer wrong', 'Bearer ', 'Basic first', 'Bearer firs', 'first']) {
      const response = await get(path, { authorization });
      expect(response.status).toBe(401);
      expect((await response.json()).error).toMatchObject({ code: 'invalid_api_key', param: null });
    }
    for (const key of ['first', 'second']) {
      expect((await get(path, { authorization: `Bearer ${key}` })).status).toBe(200);
    }
    expect(log.join()).not.toContain('second');
  });

  test.each(['/live', '/health', '/ping'])('%s needs none', async (path) => {
    expect((await get(path)).status).toBe(200);
  });
});

test('what is known of a prompt is known to its key alone', async () => {
  const { engine, post } = createHarness({ apiKeys: ['first', 'second'] });
  const ask = (key: string, owner = '') =>
    post(
      '/v1/completions',
      { prompt: 'abc' },
      { headers: { authorization: `Bearer ${key}`, 'x-sdfp-owner': owner } },
    );
  for (const key of ['first', 'first', 'second']) expect((await ask(key)).status).toBe(200);
  await ask('first', 'a user behind a gateway');
  const [one, again, other, behind] = engine.requests.map(({ cacheOwner }) => cacheOwner);
  expect(one).toBe(again!);
  expect(new Set([one, other, behind]).size).toBe(3);
  expect(one).not.toContain('first');
});

describe('GET /metrics', () => {
  test('counts what was generated', async () => {
    const { get, post } = createHarness({
      engine: { answer: () => 'hello' },
      residentMemoryBytes: () => 12345,
    });
    await post('/v1/completions', { prompt: 'abc' });
    await (await post('/v1/completions', { prompt: 'abc', stream: true })).text();
    const text = await (await get('/metrics')).text();
    for (const line of [
      'sdfp_num_requests_running 0',
      'sdfp_num_requests_waiting 0',
      'sdfp_model_info{model="org/bytes",provider="scripted"} 1',
      'process_resident_memory_bytes 12345',
      'sdfp_prompt_tokens_total 6',
      'sdfp_generation_tokens_total 12',
      'sdfp_spec_decode_num_drafts_total 4',
      'sdfp_spec_decode_num_draft_tokens_total 12',
      'sdfp_spec_decode_num_accepted_tokens_total 8',
      'sdfp_spec_decode_num_accepted_tokens_per_pos_total{position="0"} 4',
      'sdfp_spec_decode_num_accepted_tokens_per_pos_total{position="1"} 4',
      'sdfp_time_to_first_token_seconds_count 2',
      'sdfp_time_to_first_token_seconds_bucket{le="+Inf"} 2',
      'sdfp_inter_token_latency_seconds_count 6',
      'sdfp_request_queue_time_seconds_count 2',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toEndWith('\n');
  });

  test('has no more lines after a hundred requests of all kinds than after three', async () => {
    const { get, post } = createHarness({ engine: { answer: () => 'hello' } });
    const countLines = async () => (await (await get('/metrics')).text()).split('\n').length;
    const send = async (i: number) => {
      await post('/v1/completions', { prompt: `text ${i}`, user: `user ${i}`, seed: i, stream: i % 2 === 0 });
      await post('/v1/chat/completions', { messages: [{ role: 'user', content: `${i}` }], n: 1 + (i % 3) });
      await post('/v1/completions', { prompt: 'abc', model: `unknown-${i}` });
      await get(`/v1/nowhere/${i}`);
    };
    for (let i = 0; i < 3; i++) await send(i);
    const few = await countLines();
    for (let i = 3; i < 100; i++) await send(i);
    expect(await countLines()).toBe(few);
  });

  test('every generation waits once, however it ends', async () => {
    const failure = { atRound: 0, error: new Error('no') };
    const stopped = createHarness({ engine: { answer: () => 'hello', roundTokens: 1 } });
    await stopped.post('/v1/completions', { prompt: 'abc', stop: 'e', n: 2 });
    const failed = createHarness({ engine: { failure } });
    await failed.post('/v1/completions', { prompt: 'abc' });
    const left = createHarness({ engine: { roundMs: 1000 } });
    const leaver = new AbortController();
    const request = left.post('/v1/completions', { prompt: 'abc' }, { signal: leaver.signal });
    setTimeout(() => leaver.abort(), 20);
    await request;
    const lines = async ({ get }: typeof left) => (await (await get('/metrics')).text()).split('\n');
    expect(await lines(stopped)).toContain('sdfp_request_queue_time_seconds_count 2');
    expect(await lines(stopped)).toContain('sdfp_prompt_tokens_total 6');
    expect(await lines(failed)).toContain('sdfp_request_queue_time_seconds_count 1');
    expect(await lines(left)).toContain('sdfp_request_queue_time_seconds_count 1');
    expect(await lines(left)).toContain('sdfp_prefix_cache_hits_total 0');
  });
});

describe('log', () => {
  test('has tokens, acceptance and times, and never the text', async () => {
    const { post, log } = createHarness({ engine: { answer: () => 'private answer' } });
    await post('/v1/completions', { prompt: 'private question' });
    await (await post('/v1/completions', { prompt: 'private question', stream: true })).text();
    expect(log).toHaveLength(2);
    for (const line of log) {
      const { ms, ttft_ms, ...facts } = JSON.parse(line);
      expect(facts).toMatchObject({ status: 200, prompt_tokens: 16, tokens: 15, acceptance: 0.667 });
      expect(ttft_ms).toBeWithin(0, ms + 1);
      expect(line).not.toContain('private');
    }
  });
});

describe('pages', () => {
  test('are served as given, by exact path, with their policy', async () => {
    const body = new TextEncoder().encode('<p>');
    const files = new Map([['/', { contentType: 'text/html', body }]]);
    const { get } = createHarness({ pages: { files, securityPolicy: "default-src 'none'" } });
    const response = await get('/');
    expect(await response.text()).toBe('<p>');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'");
    expect((await get('/../package.json')).status).toBe(404);
    expect((await get('/%2e%2e/package.json')).status).toBe(404);
  });
});
