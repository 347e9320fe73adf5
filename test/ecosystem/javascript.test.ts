/** The packages that people use, as they are published, against a server with the story model. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, jsonSchema, Output, streamText, tool } from 'ai';
import { createClient } from '../../src/client/index.ts';
import type { ServerProcess } from '../server/server-process.ts';
import { startStoryServer } from '../server/story-server.ts';

const PROMPT = 'Once upon a time';
const STORY = {
  type: 'object',
  properties: { hero: { type: 'string', maxLength: 20 }, animal: { enum: ['cat', 'dog'] } },
  required: ['hero', 'animal'],
  additionalProperties: false,
} as const;

interface Story {
  readonly hero: string;
  readonly animal: 'cat' | 'dog';
}

let server: ServerProcess;
/** What the same request says to a plain client: greedy, 20 tokens. */
let expected: string;

beforeAll(async () => {
  server = await startStoryServer({ environment: { API_KEY: 'secret' } });
  const client = createClient({ baseUrl: server.url, apiKey: 'secret' });
  const messages = [{ role: 'user', content: PROMPT }] as const;
  ({ text: expected } = await client.chat({ messages, max_tokens: 20, temperature: 0 }).collect());
  expect(expected.length).toBeGreaterThan(20);
}, 60_000);

afterAll(() => server?.stop());

describe('ai with @ai-sdk/openai-compatible', () => {
  const model = (apiKey = 'secret') =>
    createOpenAICompatible({
      name: 'sdfp',
      baseURL: `${server.url}/v1`,
      apiKey,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })('stories');
  const request = { prompt: PROMPT, maxOutputTokens: 20, temperature: 0, maxRetries: 0 };

  test('generateText() and streamText()', async () => {
    const answer = await generateText({ ...request, model: model() });
    expect(answer.text).toBe(expected);
    expect(answer.finishReason).toBe('length');
    expect(answer.usage.outputTokens).toBe(20);
    const stream = streamText({ ...request, model: model() });
    const parts: string[] = [];
    for await (const part of stream.textStream) parts.push(part);
    expect(parts.join('')).toBe(expected);
    expect(parts.length).toBeGreaterThan(3);
    expect((await stream.usage).outputTokens).toBe(20);
  });

  test('an object by its schema, and a tool call', async () => {
    const output = Output.object({ schema: jsonSchema<Story>(STORY) });
    const answer = await generateText({ ...request, model: model(), maxOutputTokens: 150, output });
    expect(Object.keys(answer.output)).toEqual(['hero', 'animal']);
    const tools = {
      tell: tool({
        description: 'Tells a story',
        inputSchema: jsonSchema<Story>(STORY),
        execute: () => 'told',
      }),
    };
    const calls = await generateText({
      ...request,
      model: model(),
      maxOutputTokens: 150,
      tools,
      toolChoice: 'required',
    });
    expect(calls.toolCalls[0]).toMatchObject({ toolName: 'tell', input: { hero: expect.any(String) } });
  });

  test('errors come with status and message, aborts end the stream', async () => {
    const refused = generateText({ ...request, model: model('wrong') });
    await expect(refused).rejects.toMatchObject({
      statusCode: 401,
      message: expect.stringContaining('Checking the key'),
    });
    const controller = new AbortController();
    const stream = streamText({ ...request, model: model(), abortSignal: controller.signal });
    let isAborted = false;
    for await (const part of stream.fullStream) {
      if (part.type === 'text-delta') controller.abort();
      isAborted ||= part.type === 'abort';
    }
    expect(isAborted).toBe(true);
  });
});

describe('@langchain/openai', () => {
  const model = (options: object = {}) =>
    new ChatOpenAI({
      model: 'stories',
      apiKey: 'secret',
      temperature: 0,
      maxTokens: 20,
      maxRetries: 0,
      configuration: { baseURL: `${server.url}/v1` },
      ...options,
    });

  test('invoke() and stream()', async () => {
    const answer = await model().invoke(PROMPT);
    expect(answer).toMatchObject({ content: expected, usage_metadata: { output_tokens: 20 } });
    let text = '';
    let tokens = 0;
    for await (const chunk of await model().stream(PROMPT)) {
      text += chunk.content;
      tokens += Object(chunk).usage_metadata?.output_tokens ?? 0;
    }
    expect(text).toBe(expected);
    expect(tokens).toBe(20);
  });

  test('structured output and a tool call', async () => {
    const long = model({ maxTokens: 150 });
    const story = await long
      .withStructuredOutput<{ hero: string }>({ ...STORY, title: 'story' }, { method: 'jsonSchema' })
      .invoke(PROMPT);
    expect(Object.keys(story)).toEqual(['hero', 'animal']);
    const tell = langchainTool(() => 'told', { name: 'tell', description: 'Tells a story', schema: STORY });
    const answer = await long.bindTools([tell], { tool_choice: 'tell' }).invoke(PROMPT);
    expect(answer.tool_calls?.[0]).toMatchObject({ name: 'tell', args: { hero: expect.any(String) } });
  });

  test('errors come with their status', async () => {
    await expect(model({ apiKey: 'wrong' }).invoke(PROMPT)).rejects.toMatchObject({ status: 401 });
    await expect(model({ model: 'other' }).invoke(PROMPT)).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });
});
