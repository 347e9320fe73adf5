import { describe, expect, test } from 'bun:test';
import { collectTokenBytes } from '../../src/text/index.ts';
import { scriptedEngine } from '../engine/helpers.ts';
import { BYTE_VOCAB_SIZE, createByteCodec } from '../fakes/byte-codec.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { createHarness, type Harness, readChunks } from './harness.ts';

const PATH = '/v1/chat/completions';
const HERMES = 'For each call: <tool_call>{"name": ...}</tool_call>';
const messages = [{ role: 'user', content: 'weather?' }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { enum: ['Rome', 'Oslo'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
    },
  },
};
const clock = { type: 'function', function: { name: 'get_time' } };

/** A model that knows nothing, over bytes, which obeys grammars. */
function openNonsense(template?: string): Harness {
  const codec = createByteCodec(template === undefined ? {} : { templates: [template] });
  const model = new ScriptedModel({ vocabSize: BYTE_VOCAB_SIZE, agrees: (position) => position % 3 !== 2 });
  const engine = scriptedEngine(model);
  engine.setVocabulary(collectTokenBytes(codec, BYTE_VOCAB_SIZE));
  return createHarness({ served: { engine, text: codec } });
}

/** A model that says what it is told to. */
function openParrot(answer: string, template?: string): Harness {
  const text = createByteCodec(template === undefined ? {} : { templates: [template] });
  return createHarness({ engine: { answer: () => answer }, served: { text } });
}

describe('response_format', () => {
  const schema = {
    type: 'object',
    properties: {
      title: { type: 'string', maxLength: 8 },
      tags: { type: 'array', items: { type: 'boolean' } },
    },
    required: ['title', 'tags'],
    additionalProperties: false,
  };
  const format = { type: 'json_schema', json_schema: { name: 'book', schema, strict: true } };

  test('json_schema gives JSON that follows it, the same with speculation and without', async () => {
    const { post } = openNonsense();
    for (let seed = 0; seed < 5; seed++) {
      const body = { messages, response_format: format, max_tokens: 120, seed };
      const texts = [];
      for (const speculative of [{ enabled: false }, { draft_tokens: 4 }]) {
        const { choices } = await (await post(PATH, { ...body, speculative })).json();
        expect(choices[0].finish_reason).toBe('stop');
        texts.push(choices[0].message.content);
      }
      expect(texts[0]).toBe(texts[1]);
      const value = JSON.parse(texts[0]);
      expect(Object.keys(value)).toEqual(['title', 'tags']);
      expect([...value.title].length).toBeLessThanOrEqual(8);
    }
  });

  test('json_object gives an object, streamed too, on either route, ignore_eos or not', async () => {
    const { post } = openNonsense();
    const body = { response_format: { type: 'json_object' }, max_tokens: 60, seed: 3, ignore_eos: true };
    const chat = await readChunks(await post(PATH, { messages, ...body, stream: true }));
    expect(JSON.parse(chat.map(({ choices }) => choices[0]?.delta?.content ?? '').join(''))).toBeObject();
    const text = await (await post('/v1/completions', { prompt: 'x', ...body })).json();
    expect(JSON.parse(text.choices[0].text)).toBeObject();
    const { max_tokens, response_format, ...rest } = body;
    const asked = {
      ...rest,
      input: 'x',
      max_output_tokens: 90,
      text: { format: { type: 'json_schema', name: 'b', schema } },
    };
    const response = await (await post('/v1/responses', asked)).json();
    expect(JSON.parse(response.output[0].content[0].text)).toHaveProperty('tags');
    expect(response.text.format.schema).toEqual(schema);
  });

  test.each([
    [{ type: 'json_schema', json_schema: { name: 'a', schema: { type: 'string', pattern: 'a+' } } }],
    [{ type: 'json_schema', json_schema: { name: 'a', schema: { type: 'thing' } } }],
    [{ type: 'json_schema', json_schema: { name: 'a', schema: [] } }],
    [{ type: 'json_schema', json_schema: { name: 'a b', schema: {} } }],
    [{ type: 'json_schema', json_schema: { schema: {} } }],
    [{ type: 'json_schema' }],
    [{ type: 'xml' }],
    ['json_object'],
  ])('%j is 400 with param response_format', async (response_format) => {
    for (const stream of [true, false]) {
      const response = await openNonsense().post(PATH, { messages, response_format, stream });
      expect(response.status).toBe(400);
      expect((await response.json()).error).toMatchObject({
        param: 'response_format',
        code: 'invalid_request',
      });
    }
  });
});

describe('a required call', () => {
  test.each([
    ['bare JSON', undefined],
    ["Hermes' tags", HERMES],
    ["Llama's parameters", '{"name": function name, "parameters": dictionary}'],
  ])('is valid with a model that knows nothing: %s', async (_, template) => {
    const { post } = openNonsense(template);
    const names = new Set<string>();
    for (let seed = 0; seed < 6; seed++) {
      const body = { messages, tools: [weather, clock], tool_choice: 'required', seed, max_tokens: 200 };
      const { choices } = await (await post(PATH, body)).json();
      const [{ message, finish_reason }] = choices;
      expect(finish_reason).toBe('tool_calls');
      expect(message.content).toBeNull();
      expect(message.tool_calls).toHaveLength(1);
      const [call] = message.tool_calls;
      expect(call).toMatchObject({ type: 'function', id: expect.stringMatching(/^call_\w+$/) });
      names.add(call.function.name);
      const value = JSON.parse(call.function.arguments);
      if (call.function.name === 'get_weather') {
        expect(['Rome', 'Oslo']).toContain(value.city);
        expect(value.days).toBeWithin(1, 10);
      } else expect(value).toBeObject();
    }
    expect([...names].sort()).toEqual(['get_time', 'get_weather']);
  });

  test('of a named function, streamed as deltas', async () => {
    const { post } = openNonsense(HERMES);
    const tool_choice = { type: 'function', function: { name: 'get_weather' } };
    const body = { messages, tools: [clock, weather], tool_choice, seed: 1, stream: true };
    const chunks = await readChunks(await post(PATH, body));
    const deltas = chunks.flatMap(({ choices }) => choices[0]?.delta?.tool_calls ?? []);
    expect(deltas[0]).toMatchObject({
      index: 0,
      type: 'function',
      function: { name: 'get_weather', arguments: '' },
    });
    expect(deltas.slice(1).every(({ id, index }) => id === undefined && index === 0)).toBe(true);
    expect(deltas.length).toBeGreaterThan(3);
    const value = JSON.parse(deltas.map((delta) => delta.function.arguments).join(''));
    expect(Object.keys(value)).toEqual(['city', 'days']);
    expect(chunks.every(({ choices }) => !choices[0]?.delta?.content)).toBe(true);
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('tool_calls');
  });

  test.each([
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ tool_choice: 'sometimes', tools: [clock] }, 'tool_choice'],
    [{ tool_choice: { type: 'function', function: { name: 'other' } }, tools: [clock] }, 'tool_choice'],
    [{ tools: [{ type: 'retrieval' }] }, 'tools[0].type'],
    [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, 'tools[0].function.name'],
    [{ tools: 'all' }, 'tools'],
    [
      {
        tools: [{ type: 'function', function: { name: 'a', parameters: { not: {} } } }],
        tool_choice: 'required',
      },
      'tools',
    ],
    [
      {
        tools: [{ type: 'function', function: { name: 'a', parameters: { type: 'string' } } }],
        tool_choice: 'required',
      },
      'tools',
    ],
  ])('%j is refused with param %s', async (body, param) => {
    const response = await openNonsense().post(PATH, { messages, ...body });
    expect(response.status).toBe(400);
    expect((await response.json()).error.param).toBe(param);
  });
});

describe('tool_choice auto', () => {
  const two =
    'Let me see.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "R{o\\"me"}}\n</tool_call>\n<tool_call>{"name":"get_time","arguments":{}}</tool_call>';
  const cases = [
    [
      two,
      HERMES,
      'Let me see.\n',
      [
        ['get_weather', '{"city": "R{o\\"me"}'],
        ['get_time', '{}'],
      ],
    ],
    ['{"name": "get_time", "arguments": {"a": [1]}}', '', null, [['get_time', '{"a": [1]}']]],
    ['just text', HERMES, 'just text', []],
    [
      '<tool_call>{"name": "unknown", "arguments": {}}',
      HERMES,
      '<tool_call>{"name": "unknown", "arguments": {}}',
      [],
    ],
    ['a <tool', HERMES, 'a <tool', []],
    ['{"answer": 1}', '', '{"answer": 1}', []],
  ] as const;

  test.each(cases)('reads %s', async (answer, template, content, calls) => {
    for (const stream of [false, true]) {
      const { post, engine } = openParrot(answer, template);
      const response = await post(PATH, { messages, tools: [weather, clock], stream });
      const found = new Map<number, [string, string]>();
      let text = '';
      let reason: string | null = null;
      if (stream) {
        for (const { choices } of await readChunks(response)) {
          const { delta, finish_reason } = choices[0]!;
          text += delta?.content ?? '';
          reason = finish_reason ?? reason;
          for (const {
            index,
            function: { name, arguments: piece },
          } of delta?.tool_calls ?? []) {
            const [known = '', sofar = ''] = found.get(index) ?? [];
            found.set(index, [name ?? known, sofar + piece]);
          }
        }
      } else {
        const [{ message, finish_reason }] = (await response.json()).choices;
        text = message.content ?? '';
        reason = finish_reason;
        for (const [index, call] of (message.tool_calls ?? []).entries()) {
          found.set(index, [call.function.name, call.function.arguments]);
        }
      }
      expect(engine.requests[0]!.grammar).toBeUndefined();
      expect(text).toBe(content ?? '');
      expect([...found.values()]).toEqual(calls.map(([name, args]) => [name, args]));
      expect(reason).toBe(calls.length > 0 ? 'tool_calls' : 'stop');
    }
  });

  test('tools and earlier calls reach the template; none hides them', async () => {
    const seen: unknown[] = [];
    const codec = createByteCodec();
    const text = {
      ...codec,
      renderChat: (...args: Parameters<typeof codec.renderChat>) => {
        seen.push(args);
        return codec.renderChat(...args);
      },
    };
    const { post } = createHarness({ served: { text } });
    const call = { id: 'call_1', type: 'function', function: { name: 'get_time', arguments: '{"a":1}' } };
    const history = [
      ...messages,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'noon' },
    ];
    await post(PATH, { messages: history, tools: [clock] });
    await post(PATH, { messages, tools: [clock], tool_choice: 'none' });
    expect(seen[0]).toEqual([
      [
        messages[0],
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ ...call, function: { name: 'get_time', arguments: { a: 1 } } }],
        },
        { role: 'tool', content: 'noon', tool_call_id: 'call_1' },
      ],
      { tools: [clock] },
    ]);
    expect(seen[1]).toEqual([messages, { tools: [] }]);
  });
});
