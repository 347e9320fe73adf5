import { describe, expect, test } from 'bun:test';
import { createClient } from '../../src/client/index.ts';
import { createHarness, type Harness, type HarnessOptions, readChunks, textOf } from './harness.ts';

const ANSWER = 'A stream that breaks off goes on where it was.';
const BODY = { prompt: 'Once', stream: true, max_tokens: 100 };
const first = (id: string) => ({ 'x-request-id': id, 'last-event-id': '0' });

function create(options: HarnessOptions = {}): Harness {
  return createHarness({ ...options, engine: { answer: () => ANSWER, ...options.engine } });
}

function ask(harness: Harness, headers: Record<string, string>, body: object = BODY): Promise<Response> {
  return harness.post('/v1/completions', body, { headers });
}

/** Reads `count` events, then goes away. The number of the last one. */
async function readSome(response: Response, count: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes(`id: ${count}\n`)) break;
  }
  return String(count);
}

async function until(isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !isDone(); i++) await Bun.sleep(5);
  expect(isDone()).toBe(true);
}

describe('resuming a stream', () => {
  test('goes on after the last event, generates nothing twice', async () => {
    const harness = create();
    const last = await readSome(await ask(harness, first('one')), 4);
    const rest = await ask(harness, { ...first('one'), 'last-event-id': last });
    expect(rest.headers.get('x-request-id')).toBe('one');
    const text = await rest.text();
    expect(/^id: (\d+)$/m.exec(text)![1]).toBe('5');
    expect(harness.engine.begun()).toBe(1);
    const whole = await readChunks(await ask(harness, first('one')));
    expect(textOf(whole)).toBe(ANSWER);
    expect(harness.engine.begun()).toBe(1);
  });

  test('needs the same key, path, body and id', async () => {
    const harness = create({ apiKeys: ['a', 'b'] });
    const mine = { ...first('one'), authorization: 'Bearer a' };
    const last = await readSome(await ask(harness, mine), 3);
    const again = { ...mine, 'last-event-id': last };
    const others = [
      ask(harness, { ...again, authorization: 'Bearer b' }),
      ask(harness, { ...again, 'x-request-id': 'two' }),
      ask(harness, again, { ...BODY, prompt: 'Twice' }),
      harness.post('/v1/chat/completions', BODY, { headers: again }),
    ];
    for (const response of await Promise.all(others)) {
      expect(response.status).toBe(410);
      expect((await response.json()).error.code).toBe('stream_not_held');
    }
    expect((await ask(harness, { ...again, authorization: 'Bearer c' })).status).toBe(401);
    expect((await ask(harness, again)).status).toBe(200);
  });

  test('is over some time after the client went', async () => {
    const harness = create({ limits: { resumeMs: 30 }, engine: { roundMs: 5 } });
    const last = await readSome(await ask(harness, first('one')), 2);
    expect(harness.engine.ended()).toBe(0);
    await until(() => harness.engine.ended() === 1);
    expect((await ask(harness, { ...first('one'), 'last-event-id': last })).status).toBe(410);
    expect(harness.log.filter((line) => line.includes('"status":499'))).toHaveLength(1);
  });

  test('a complete stream is forgotten some time after it was read', async () => {
    const harness = create({ limits: { resumeMs: 30 } });
    await readChunks(await ask(harness, first('one')));
    const again = { ...first('one'), 'last-event-id': '2' };
    expect(textOf(await readChunks(await ask(harness, again)))).toBe(ANSWER.slice(6));
    await Bun.sleep(80);
    expect((await ask(harness, again)).status).toBe(410);
  });

  test('a client that says so lets go at once', async () => {
    const harness = create({ engine: { roundMs: 5 } });
    await readSome(await ask(harness, first('one')), 2);
    expect((await ask(harness, { ...first('one'), 'last-event-id': 'end' })).status).toBe(204);
    await until(() => harness.engine.ended() === 1);
  });

  test('who did not ask for it ends with the connection', async () => {
    const harness = create({ engine: { roundMs: 5 } });
    const response = await ask(harness, { 'x-request-id': 'one' });
    const reader = response.body!.getReader();
    for (let i = 0; i < 3; i++) expect(String((await reader.read()).value)).not.toContain('id: ');
    await reader.cancel();
    await until(() => harness.engine.ended() === 1);
  });

  test('when the server shuts down, streams without a client are let go, those with one go on', async () => {
    const harness = create({ engine: { roundMs: 5 } });
    await readSome(await ask(harness, first('gone')), 2);
    const present = await ask(harness, first('present'));
    const leaving = await ask(harness, first('leaving'));
    harness.host.drain();
    await until(() => harness.engine.ended() === 1);
    await readSome(leaving, 2);
    await until(() => harness.engine.ended() === 2);
    expect(textOf(await readChunks(present))).toBe(ANSWER);
  });

  test('a request that has gone already when it resumes does not keep the stream', async () => {
    const harness = create({ limits: { resumeMs: 30 }, engine: { roundMs: 5 } });
    const last = await readSome(await ask(harness, first('one')), 2);
    const client = new AbortController();
    const headers = { ...first('one'), 'last-event-id': last };
    const again = harness.post('/v1/completions', BODY, { headers, signal: client.signal });
    client.abort();
    expect(await (await again).text()).toBe('');
    await until(() => harness.engine.ended() === 1);
  });

  test('can be switched off', async () => {
    const harness = create({ limits: { resumeMs: 0 } });
    const response = await ask(harness, first('one'));
    expect(await response.text()).not.toContain('id: 1\n');
    expect((await ask(harness, { ...first('one'), 'last-event-id': '1' })).status).toBe(410);
  });

  test('a refusal before the stream, a plain answer and a bad number', async () => {
    const harness = create();
    expect((await ask(harness, first('one'), { ...BODY, temperature: 9 })).status).toBe(400);
    const plain = await ask(harness, first('one'), { ...BODY, stream: false });
    expect((await plain.json()).choices[0].text).toBe(ANSWER);
    const bad = await ask(harness, { ...first('one'), 'last-event-id': '-1' });
    expect((await bad.json()).error.param).toBe('Last-Event-ID');
  });
});

describe('createClient({ resume: true })', () => {
  /** Bodies that break after some chunks, each time after one more. */
  function breaking(harness: Harness, breaks: number) {
    const seen: Headers[] = [];
    const fetch = async (url: string, init: RequestInit): Promise<Response> => {
      seen.push(new Headers(init.headers));
      const response = await harness.request(new URL(url).pathname, init);
      if (seen.length > breaks || response.body === null) return response;
      let left = 2 + seen.length;
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          if (left-- > 0) controller.enqueue(chunk);
          else controller.error(new TypeError('network lost'));
        },
      });
      return new Response(response.body.pipeThrough(cut), response);
    };
    return { fetch, seen };
  }

  test('a connection that breaks again and again changes nothing', async () => {
    const harness = create();
    const { fetch, seen } = breaking(harness, 4);
    const client = createClient({ baseUrl: 'http://test', fetch, resume: true, retryDelayMs: 1 });
    let text = '';
    for await (const event of client.complete({ prompt: 'Once', max_tokens: 100 }))
      if (event.type === 'text') text += event.text;
      else expect(event).toMatchObject({ text: ANSWER, finishReason: 'stop', usage: { total_tokens: 51 } });
    expect(text).toBe(ANSWER);
    expect(seen).toHaveLength(5);
    expect(new Set(seen.map((headers) => headers.get('x-request-id'))).size).toBe(1);
    expect(harness.engine.begun()).toBe(1);
  });

  test('a stream that is held no more is an error with its code', async () => {
    const harness = create({ limits: { resumeMs: 5 } });
    const { fetch } = breaking(harness, 1);
    const client = createClient({ baseUrl: 'http://test', fetch, resume: true, retryDelayMs: 100 });
    const failed = client.complete({ prompt: 'Once', max_tokens: 100 }).collect();
    await expect(failed).rejects.toMatchObject({ code: 'stream_not_held', status: 410 });
  });

  test('leaving the loop frees the generation at once', async () => {
    const harness = create({ engine: { roundMs: 5 } });
    const { fetch } = breaking(harness, 0);
    const client = createClient({ baseUrl: 'http://test', fetch, resume: true });
    for await (const _ of client.complete({ prompt: 'Once', max_tokens: 100 })) break;
    await until(() => harness.engine.ended() === 1);
  });
});
