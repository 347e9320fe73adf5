import { describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { createHarness, type Harness, parseEvents } from './harness.ts';

const PATH = '/v1/responses';

function clientOf({ request }: Harness): OpenAI {
  const fetch = (url: string | URL | Request, init?: RequestInit): Promise<Response> =>
    request(new URL(url instanceof Request ? url.url : url).pathname, init);
  return new OpenAI({ apiKey: 'none', baseURL: 'http://server/v1', fetch, maxRetries: 0 });
}

async function errorOf(response: Promise<Response>): Promise<{ status: number; param: string }> {
  const { status, ...rest } = await response;
  void rest;
  return { status, ...(await (await response).json()).error };
}

describe('POST /v1/responses', () => {
  test('gives the openai package text, usage and what was asked', async () => {
    const harness = createHarness({ engine: { answer: () => 'hello' } });
    const response = await clientOf(harness).responses.create({
      model: 'org/bytes',
      input: 'hi',
      instructions: 'Be kind.',
      metadata: { topic: 'greeting' },
    });
    expect(response.output_text).toBe('hello');
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      incomplete_details: null,
      error: null,
      instructions: 'Be kind.',
      metadata: { topic: 'greeting' },
      model: 'org/bytes',
      output: [{ type: 'message', role: 'assistant', status: 'completed' }],
      usage: { output_tokens: 6, input_tokens_details: { cached_tokens: 0 } },
    });
    const prompt = new TextDecoder().decode(Uint8Array.from(harness.engine.requests[0]!.promptIds));
    expect(prompt).toBe('<system>Be kind.<user>hi<assistant>');
  });

  test('streams events in the published order, numbered, with their names', async () => {
    const { post } = createHarness({ engine: { answer: () => 'hello', roundTokens: 4 } });
    const response = await post(PATH, { input: [{ role: 'user', content: 'hi' }], stream: true });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = parseEvents(await response.text());
    expect(events.map(({ event }) => event)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const numbers = events.map(({ data }) => Object(data).sequence_number);
    expect(numbers).toEqual(events.map((_, index) => index));
    expect(events.map(({ data }) => Object(data).type)).toEqual(events.map(({ event }) => event));
  });

  test('the openai package reads the stream and puts the answer together', async () => {
    const harness = createHarness({ engine: { answer: () => 'grüße', roundTokens: 1 } });
    const stream = clientOf(harness).responses.stream({ model: 'org/bytes', input: 'hi' });
    let text = '';
    stream.on('response.output_text.delta', (event) => {
      text += event.delta;
    });
    const last = await stream.finalResponse();
    expect(text).toBe('grüße');
    expect(last.output_text).toBe('grüße');
    expect(last.status).toBe('completed');
    expect(last.usage?.output_tokens).toBe(8);
  });

  test.each([true, false])('an answer that is cut is incomplete (stream: %s)', async (stream) => {
    const { post } = createHarness({ engine: { answer: () => 'hello' } });
    const response = await post(PATH, { input: 'hi', max_output_tokens: 2, stream });
    const body = stream
      ? Object(parseEvents(await response.text()).at(-1)!.data).response
      : await response.json();
    expect(body).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      max_output_tokens: 2,
      output: [{ status: 'incomplete', content: [{ type: 'output_text', text: 'he' }] }],
    });
  });

  test('takes parts of text, and a developer as system', async () => {
    const { post, engine } = createHarness();
    const content = [
      { type: 'input_text', text: 'a' },
      { type: 'input_text', text: 'b' },
    ];
    await post(PATH, { input: [{ type: 'message', role: 'developer', content }] });
    const prompt = new TextDecoder().decode(Uint8Array.from(engine.requests[0]!.promptIds));
    expect(prompt).toBe('<system>ab<assistant>');
  });

  test.each([
    [{}, 'input'],
    [{ input: [] }, 'input'],
    [{ input: 'a', max_output_tokens: 0 }, 'max_output_tokens'],
    [{ input: 'a', tools: [{ type: 'web_search' }] }, 'tools'],
    [{ input: 'a', previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ input: 'a', text: { format: { type: 'xml' } } }, 'text.format.type'],
    [{ input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input[0].content[0].type'],
  ])('%j is refused with param %s', async (body, param) => {
    const { post } = createHarness();
    expect(await errorOf(post(PATH, body))).toMatchObject({ status: 400, param });
  });

  test('a failure in the middle is an error event, then the end', async () => {
    const failure = { atRound: 1, error: new Error('secret') };
    const { post } = createHarness({ engine: { answer: () => 'hello', failure } });
    const text = await (await post(PATH, { input: 'hi', stream: true })).text();
    const last = parseEvents(text).at(-1)!;
    expect(last.event).toBe('error');
    expect(last.data).toMatchObject({ type: 'error', error: { code: 'internal' }, sequence_number: 5 });
    expect(text).not.toContain('secret');
  });
});
