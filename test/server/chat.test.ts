import { describe, expect, test } from 'bun:test';
import { createHarness, readChunks, textOf } from './harness.ts';

const PATH = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'hi' }];

describe('POST /v1/chat/completions', () => {
  test('answers with a message', async () => {
    const { post, engine } = createHarness({ engine: { answer: () => 'hello' } });
    const answer = await (await post(PATH, { messages })).json();
    expect(answer).toMatchObject({
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
      usage: { completion_tokens: 6 },
    });
    expect(String.fromCharCode(...engine.requests[0]!.promptIds)).toBe('<user>hi<assistant>');
  });

  test('fills the context by default; max_completion_tokens goes before max_tokens', async () => {
    const { post, engine } = createHarness({ engine: { maxContextTokens: 100 } });
    await post(PATH, { messages });
    await post(PATH, { messages, max_tokens: 7 });
    await post(PATH, { messages, max_tokens: 7, max_completion_tokens: 5 });
    await post(PATH, { messages, max_tokens: 1000 });
    expect(engine.requests.map((request) => request.maxTokens)).toEqual([81, 7, 5, 81]);
  });

  test('developer is system, parts are joined, tool_choice none is harmless', async () => {
    const { post, engine } = createHarness();
    const response = await post(PATH, {
      messages: [
        { role: 'developer', content: 'be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'assistant', content: null },
      ],
      tools: [],
      tool_choice: 'none',
      response_format: { type: 'text' },
      metadata: { anything: true },
    });
    expect(response.status).toBe(200);
    const prompt = String.fromCharCode(...engine.requests[0]!.promptIds);
    expect(prompt).toBe('<system>be brief<user>ab<assistant><assistant>');
  });

  test('streams role, content, finish and usage', async () => {
    const { post } = createHarness({ engine: { answer: () => 'grüße' } });
    const body = { messages, stream: true, stream_options: { include_usage: true } };
    const response = await post(PATH, body);
    expect(response.headers.get('content-type')).toStartWith('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const chunks = await readChunks(response);
    expect(chunks[0]!.choices[0]).toMatchObject({
      delta: { role: 'assistant', content: '' },
      finish_reason: null,
    });
    expect(chunks.every((chunk) => chunk.object === 'chat.completion.chunk')).toBe(true);
    expect(textOf(chunks)).toBe('grüße');
    expect(chunks.at(-2)!.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 27 } });
  });

  test('streams n answers side by side', async () => {
    const { post } = createHarness({ engine: { answer: () => 'abcdef', roundMs: 1 } });
    const chunks = await readChunks(await post(PATH, { messages, stream: true, n: 3 }));
    for (const index of [0, 1, 2]) expect(textOf(chunks, index)).toBe('abcdef');
    const order = chunks.map((chunk) => chunk.choices[0]!.index);
    expect(order).not.toEqual(order.toSorted());
  });

  test('logprobs have bytes, also of a part of a character', async () => {
    const { post } = createHarness({ engine: { answer: () => 'é' } });
    const body = { messages, logprobs: true, top_logprobs: 2, max_tokens: 2 };
    const answer = await (await post(PATH, body)).json();
    const content = answer.choices[0].logprobs.content;
    expect(content.map((entry: { bytes: number[] }) => entry.bytes)).toEqual([[0xc3], [0xa9]]);
    expect(content[0].top_logprobs).toEqual([
      { token: 'A', logprob: 0, bytes: [65] },
      { token: 'B', logprob: -1, bytes: [66] },
    ]);
    const chunks = await readChunks(await post(PATH, { ...body, stream: true }));
    const entries = chunks.flatMap((chunk) =>
      chunk.choices.flatMap((choice) => Object(choice).logprobs?.content ?? []),
    );
    expect(entries).toEqual(content);
  });
});
