import { describe, expect, test } from 'bun:test';
import * as v from 'valibot';
import * as api from '../../src/api/index.ts';
import { createApp } from '../../src/server/app.ts';
import { createModelHost } from '../../src/server/index.ts';
import { createOpenApi } from '../../src/server/openapi/document.ts';
import { OPERATIONS } from '../../src/server/openapi/operations.ts';
import { FAKE_PLAN_FACTS } from '../fakes/completion-server.ts';
import { createHarness, parseEvents } from './harness.ts';

const PAGES = ['/docs', '/docs/style.css', '/openapi.json'];

describe('GET /openapi.json', () => {
  test('names every route of the app and no other', async () => {
    const app = createApp({ host: createModelHost() });
    const routes = app.routes.filter(({ method }) => method !== 'ALL');
    const served = new Set(
      routes.map(({ method, path }) => `${method} ${path.replace(/:id\{.+\}/, '{id}')}`),
    );
    for (const page of PAGES) served.delete(`GET ${page}`);
    const named = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect([...served].sort()).toEqual(named.sort());
    const response = await app.request('/openapi.json');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect((await response.json()).openapi).toBe('3.1.0');
  });

  test('says what /plan tells of precision and vocabularies', () => {
    const plan = JSON.stringify(createOpenApi().components.schemas.Plan);
    for (const name of ['target_precision', 'vocab_size', 'draft_vocab_size'])
      expect(plan).toContain(`"${name}"`);
  });

  test('every reference leads somewhere, every answer of a body is typed, streams beside JSON', () => {
    const document = createOpenApi();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(40);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name!);
    for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/responses']) {
      const { responses, requestBody } = document.paths[path]!.post!;
      expect(requestBody?.content['application/json']).toBeDefined();
      expect(Object.keys(responses['200']!.content!)).toEqual(['application/json', 'text/event-stream']);
      for (const status of ['400', '401', '404', '413', '429', '500', '503', '504']) {
        expect(responses[status]!.content!['application/json']!.schema.$ref).toEndWith('/Error');
      }
    }
  });

  test('request headers that count are named where they do', async () => {
    const { paths } = createOpenApi();
    for (const { method, path, tag } of OPERATIONS) {
      const { parameters } = paths[path]![method]!;
      const headers = parameters.filter((parameter) => parameter.in === 'header');
      const wanted = tag === 'Generation' ? ['Last-Event-ID', 'x-request-id'] : ['x-request-id'];
      expect([path, headers.map(({ name }) => name)]).toEqual([path, wanted]);
    }
    const named = paths['/v1/completions']!.post!.parameters;
    const accepts = (name: string, value: string): boolean =>
      new RegExp(named.find((parameter) => parameter.name === name)!.schema.pattern!, 'u').test(value);
    const { post } = createHarness();
    for (const value of ['0', '7', 'end', '-1', 'x', '1234567890']) {
      const headers = { 'last-event-id': value };
      const { status } = await post('/v1/completions', { prompt: 'a', stream: true }, { headers });
      expect([value, accepts('Last-Event-ID', value)]).toEqual([value, status !== 400]);
    }
    // Any id is accepted, so the schema is just a string; one of another form is replaced.
    expect(named.find(({ name }) => name === 'x-request-id')!.schema).toEqual({ type: 'string' });
    for (const value of ['my.id-1', 'a b', 'x'.repeat(129)]) {
      const response = await post('/v1/completions', { prompt: 'a' }, { headers: { 'x-request-id': value } });
      const isKept = response.headers.get('x-request-id') === value;
      expect([value, response.status, isKept]).toEqual([value, 200, value === 'my.id-1']);
    }
  });

  test('bodies are those of the schemas that check them', () => {
    const { CompletionRequest, ChatRequest } = createOpenApi().components.schemas;
    expect(CompletionRequest!.required).toEqual(['prompt']);
    expect(CompletionRequest!.properties!.temperature!.anyOf![0]).toMatchObject({ minimum: 0, maximum: 2 });
    expect(ChatRequest!.required).toEqual(['messages']);
    for (const { properties = {} } of [CompletionRequest!, ChatRequest!]) {
      for (const [name, field] of Object.entries(properties)) {
        expect([name, JSON.stringify(field)]).toEqual([name, expect.stringContaining('"description"')]);
      }
    }
  });
});

describe('answers', () => {
  const chat = {
    messages: [{ role: 'user', content: 'a' }],
    logprobs: true,
    top_logprobs: 2,
    return_token_ids: true,
  };
  const text = { prompt: 'ab', logprobs: 2, echo: true, return_token_ids: true };
  test.each([
    ['/v1/chat/completions', chat, api.ChatAnswerSchema, api.ChatChunkSchema],
    ['/v1/completions', text, api.CompletionAnswerSchema, api.CompletionChunkSchema],
    ['/v1/responses', { input: 'a' }, api.ResponseObjectSchema, api.ResponseEventSchema],
  ] as const)('of %s follow their schemas', async (path, body, answer, chunk) => {
    const { post } = createHarness();
    const json = await (await post(path, body)).json();
    expect(v.parse<v.GenericSchema>(answer, json)).toEqual(json);
    const stream = await (await post(path, { ...body, stream: true })).text();
    const chunks = parseEvents(stream).filter(({ data }) => data !== '[DONE]');
    expect(chunks.length).toBeGreaterThan(2);
    for (const { data } of chunks) expect(v.parse<v.GenericSchema>(chunk, data)).toEqual(data);
  });

  test('of the other routes too', async () => {
    const { get, post } = createHarness({ served: { inspect: FAKE_PLAN_FACTS } });
    const answers = [
      [await get('/v1/models'), api.ModelListSchema],
      [await get('/v1/models/org/bytes'), api.ModelSchema],
      [await get('/health'), api.HealthSchema],
      [await get('/live'), api.HealthSchema],
      [await get('/plan'), api.PlanSchema],
      [await get('/v1/models/none'), api.ErrorSchema],
      [await post('/tokenize', { prompt: 'a' }), api.TokenizeAnswerSchema],
      [await post('/detokenize', { tokens: [97] }), api.DetokenizeAnswerSchema],
    ] as const;
    for (const [response, schema] of answers) {
      const json = await response.json();
      expect(v.parse<v.GenericSchema>(schema, json)).toEqual(json);
    }
  });
});

test('GET /docs is one small page that loads nothing from elsewhere', async () => {
  const { get } = createHarness();
  const response = await get('/docs');
  const page = await response.text();
  const style = await (await get('/docs/style.css')).text();
  expect(page.length + style.length).toBeLessThan(100_000);
  expect(response.headers.get('content-security-policy')).toStartWith("default-src 'none'");
  expect(page).not.toMatch(/<script|https?:\/\/|src=/);
  for (const { path } of OPERATIONS) expect(page).toContain(path.replaceAll('"', ''));
  expect(page).toContain('Nucleus sampling');
  expect(page).toContain('Last-Event-ID');
});
