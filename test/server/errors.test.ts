import { describe, expect, test } from 'bun:test';
import { SdfpError } from '../../src/lib/errors.ts';
import { createAdmission } from '../../src/server/index.ts';
import { createHarness, parseEvents, textOf } from './harness.ts';

const CHAT = '/v1/chat/completions';
const TEXT = '/v1/completions';
const messages = [{ role: 'user', content: 'hi' }];

/** path, body, status, code, param */
const REFUSED = [
  [TEXT, '{', 400, 'invalid_request', null],
  [TEXT, '', 400, 'invalid_request', null],
  [TEXT, [], 400, 'invalid_request', null],
  [TEXT, '['.repeat(100_000), 400, 'invalid_request', null],
  [TEXT, {}, 400, 'invalid_request', 'prompt'],
  [TEXT, { prompt: 5 }, 400, 'invalid_request', 'prompt'],
  [TEXT, { prompt: [] }, 400, 'invalid_request', 'prompt'],
  [TEXT, { prompt: '' }, 400, 'invalid_request', 'prompt'],
  [TEXT, { prompt: [1, 257] }, 400, 'invalid_request', 'prompt'],
  [TEXT, { prompt: [1, -1] }, 400, 'invalid_request', 'prompt[1]'],
  [TEXT, { prompt: 'a', max_tokens: 0 }, 400, 'invalid_request', 'max_tokens'],
  [TEXT, { prompt: 'a', max_tokens: 1.5 }, 400, 'invalid_request', 'max_tokens'],
  [TEXT, { prompt: 'a', logprobs: 21 }, 400, 'invalid_request', 'logprobs'],
  [TEXT, { prompt: 'a', temperature: 2.1 }, 400, 'invalid_request', 'temperature'],
  [TEXT, { prompt: 'a', temperature: '1' }, 400, 'invalid_request', 'temperature'],
  [TEXT, { prompt: 'a', top_p: -0.1 }, 400, 'invalid_request', 'top_p'],
  [TEXT, { prompt: 'a', top_k: -2 }, 400, 'invalid_request', 'top_k'],
  [TEXT, { prompt: 'a', min_p: 2 }, 400, 'invalid_request', 'min_p'],
  [TEXT, { prompt: 'a', repetition_penalty: 0 }, 400, 'invalid_request', 'repetition_penalty'],
  [TEXT, { prompt: 'a', presence_penalty: 3 }, 400, 'invalid_request', 'presence_penalty'],
  [TEXT, { prompt: 'a', frequency_penalty: -3 }, 400, 'invalid_request', 'frequency_penalty'],
  [TEXT, { prompt: 'a', logit_bias: { '1': 101 } }, 400, 'invalid_request', 'logit_bias'],
  [TEXT, { prompt: 'a', logit_bias: { '999': 1 } }, 400, 'invalid_request', 'logit_bias'],
  [TEXT, { prompt: 'a', logit_bias: { x: 1 } }, 400, 'invalid_request', 'logit_bias'],
  [TEXT, { prompt: 'a', seed: 0.5 }, 400, 'invalid_request', 'seed'],
  [TEXT, { prompt: 'a', stop: ['1', '2', '3', '4', '5'] }, 400, 'invalid_request', 'stop'],
  [TEXT, { prompt: 'a', n: 0 }, 400, 'invalid_request', 'n'],
  [TEXT, { prompt: 'a', stream: 'yes' }, 400, 'invalid_request', 'stream'],
  [TEXT, { prompt: 'a', stream_options: { include_usage: true } }, 400, 'invalid_request', 'stream_options'],
  [
    TEXT,
    { prompt: 'a', speculative: { draft_tokens: 17 } },
    400,
    'invalid_request',
    'speculative.draft_tokens',
  ],
  [
    TEXT,
    { prompt: 'a', speculative: { verification: 'luck' } },
    400,
    'invalid_request',
    'speculative.verification',
  ],
  [TEXT, { prompt: 'a', suffix: 'b' }, 400, 'invalid_request', 'suffix'],
  [TEXT, { prompt: 'a', model: 'other' }, 404, 'model_not_found', 'model'],
  [TEXT, { prompt: 'a'.repeat(512) }, 400, 'context_length_exceeded', 'prompt'],
  [CHAT, {}, 400, 'invalid_request', 'messages'],
  [CHAT, { messages: [] }, 400, 'invalid_request', 'messages'],
  [CHAT, { messages: 'hi' }, 400, 'invalid_request', 'messages'],
  [CHAT, { messages: [{ role: 'robot', content: 'x' }] }, 400, 'invalid_request', 'messages[0].role'],
  [
    CHAT,
    { messages: [...messages, { role: 'user', content: 5 }] },
    400,
    'invalid_request',
    'messages[1].content',
  ],
  [CHAT, { messages, top_logprobs: 3 }, 400, 'invalid_request', 'top_logprobs'],
  [CHAT, { messages, logprobs: true, top_logprobs: 21 }, 400, 'invalid_request', 'top_logprobs'],
  [CHAT, { messages, response_format: { type: 'json_schema' } }, 400, 'invalid_request', 'response_format'],
  [CHAT, { messages, response_format: 'json' }, 400, 'invalid_request', 'response_format'],
  [CHAT, { messages, tools: [{ type: 'function' }] }, 400, 'invalid_request', 'tools[0].function'],
  [CHAT, { messages, tool_choice: 'required' }, 400, 'invalid_request', 'tool_choice'],
  [
    CHAT,
    { messages: [{ role: 'user', content: 'a'.repeat(600) }] },
    400,
    'context_length_exceeded',
    'messages',
  ],
  ['/tokenize', {}, 400, 'invalid_request', 'prompt'],
  ['/detokenize', { tokens: 'a' }, 400, 'invalid_request', 'tokens'],
  ['/detokenize', { tokens: [999] }, 400, 'invalid_request', 'tokens'],
] as const;

describe('refused requests', () => {
  test.each(REFUSED.map((row) => [JSON.stringify(row[1]).slice(0, 70), ...row] as const))(
    '%s',
    async (_, path, body, status, code, param) => {
      const { post, engine } = createHarness();
      const response = await post(path, body);
      expect(response.status).toBe(status);
      const { error } = await response.json();
      expect(error).toMatchObject({ type: 'invalid_request_error', code, param });
      expect(error.message.length).toBeGreaterThan(20);
      expect(engine.begun()).toBe(0);
    },
  );

  test('too long a prompt names both numbers, also before a stream', async () => {
    const { post } = createHarness();
    const response = await post(TEXT, { prompt: 'a'.repeat(600), stream: true });
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toMatch(/600.*512/);
  });

  test('an unknown path is 404, another method 405 with Allow, both in the envelope', async () => {
    const { get, request } = createHarness();
    expect(await (await get('/nothing')).json()).toMatchObject({ error: { code: 'not_found', param: null } });
    for (const [path, method, allow] of [
      [CHAT, 'GET', 'POST'],
      ['/v1/models', 'DELETE', 'GET, HEAD'],
      ['/v1/models/org/bytes', 'POST', 'GET, HEAD'],
      ['/health', 'PUT', 'GET, HEAD'],
      ['/tokenize', 'PATCH', 'POST'],
    ] as const) {
      const response = await request(path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe(allow);
      expect((await response.json()).error.code).toBe('method_not_allowed');
    }
  });

  test('a body over the limit is 413', async () => {
    const { post } = createHarness({ limits: { maxBodyBytes: 1000 } });
    const response = await post(TEXT, { prompt: 'a'.repeat(2000) });
    expect(response.status).toBe(413);
    expect((await response.json()).error.code).toBe('body_too_large');
  });

  test('requests beyond the places are refused at once with Retry-After', async () => {
    const { post, engine } = createHarness({ admission: createAdmission(2), engine: { roundMs: 5 } });
    const all = await Promise.all([1, 2, 3, 4].map(() => post(TEXT, { prompt: 'abcdef' })));
    expect(all.map((response) => response.status)).toEqual([200, 200, 429, 429]);
    expect(all[3]!.headers.get('retry-after')).toBe('1');
    expect(engine.begun()).toBe(2);
    expect((await post(TEXT, { prompt: 'abc' })).status).toBe(200);
  });

  test('each generation takes a place: prompts times n', async () => {
    const { post, engine } = createHarness({ admission: createAdmission(6), engine: { roundMs: 20 } });
    const never = await post(TEXT, { prompt: Array(64).fill('a'), n: 16 });
    expect([never.status, never.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await never.json()).error.message).toContain(
      'needs 1024 (one for each prompt times `n`); ask for',
    );
    expect(engine.begun()).toBe(0);
    const four = post(TEXT, { prompt: ['ab', 'cd'], n: 2 });
    const [three, two] = await Promise.all([
      post(CHAT, { messages, n: 3 }),
      post(TEXT, { prompt: 'ab', n: 2 }),
    ]);
    expect([(await four).status, three.status, two.status]).toEqual([200, 429, 200]);
    expect(engine.begun()).toBe(6);
    expect((await post(TEXT, { prompt: 'ab', n: 6 })).status).toBe(200);
  });

  test('the generations of a request are a group of their own', async () => {
    const { post, engine } = createHarness();
    await post(TEXT, { prompt: ['ab', 'cd'], n: 2 });
    await post(TEXT, { prompt: 'ab' });
    const groups = engine.requests.map(({ group }) => group);
    expect(new Set(groups.slice(0, 4)).size).toBe(1);
    expect(new Set(groups).size).toBe(2);
    expect(groups).not.toContain(undefined);
  });
});

describe('failures of the engine', () => {
  const secret = new Error('cannot open /home/someone/model');

  test('an unknown failure is a 500 that tells nothing; the log has it', async () => {
    const { post, log } = createHarness({ engine: { failure: { atRound: 0, error: secret } } });
    const response = await post(TEXT, { prompt: 'abc' });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('/home');
    expect(log.join()).toContain('/home/someone/model');
  });

  test.each([
    ['engine_busy', 429],
    ['engine_closed', 503],
    ['timed_out', 504],
    ['runtime_failed', 500],
  ] as const)('%s is %i', async (code, status) => {
    const error = new SdfpError(code, 'why');
    const { post } = createHarness({ engine: { failure: { atRound: 0, error } } });
    expect((await post(TEXT, { prompt: 'abc' })).status).toBe(status);
  });

  test('after a stream began it is an error event, then the end', async () => {
    const { post, engine, log } = createHarness({ engine: { failure: { atRound: 1, error: secret } } });
    const response = await post(TEXT, { prompt: 'abcdef', n: 2, stream: true });
    const text = await response.text();
    const events = parseEvents(text);
    expect(response.status).toBe(200);
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { error: { type: 'server_error' } } });
    expect(text).not.toContain('[DONE]');
    expect(text).not.toContain('/home');
    expect(textOf(events.slice(0, -1).map(({ data }) => Object(data)))).toBe('abc');
    expect(engine.ended()).toBe(2);
    expect(JSON.parse(log[0]!)).toMatchObject({ status: 500 });
  });
});
