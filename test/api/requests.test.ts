import { describe, expect, test } from 'bun:test';
import { ChatSchema, CompletionSchema, parseBody, TokenizeSchema } from '../../src/api/index.ts';
import { SdfpError } from '../../src/lib/errors.ts';

const messages = [{ role: 'user', content: 'hi' }];

function errorOf(action: () => unknown): SdfpError {
  try {
    action();
  } catch (error) {
    if (error instanceof SdfpError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

describe('ChatSchema', () => {
  test('maps every field to its name inside', () => {
    const body = {
      messages,
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      top_p: 0.9,
      top_k: 3,
      min_p: 0.1,
      repetition_penalty: 1.1,
      presence_penalty: 1,
      frequency_penalty: -1,
      logit_bias: { '7': 2.5 },
      seed: 11,
      stop: ['a', 'b'],
      n: 2,
      ignore_eos: true,
      return_token_ids: true,
      speculative: { enabled: false, draft_tokens: 3, verification: 'rejection' },
      max_tokens: 5,
      logprobs: true,
      top_logprobs: 2,
      user: 'someone',
    };
    expect(parseBody(ChatSchema, body)).toEqual({
      messages: [{ role: 'user', content: 'hi' }],
      model: 'm',
      isStream: true,
      includeUsage: true,
      temperature: 0.5,
      topP: 0.9,
      topK: 3,
      minP: 0.1,
      repetitionPenalty: 1.1,
      presencePenalty: 1,
      frequencyPenalty: -1,
      logitBias: new Map([[7, 2.5]]),
      seed: 11,
      stop: ['a', 'b'],
      choices: 2,
      ignoreEos: true,
      returnTokenIds: true,
      speculation: { enabled: false, draftLength: 3, verification: 'rejection' },
      maxTokens: 5,
      topLogprobs: 2,
      toolUse: { tools: [], mode: 'auto' },
      answerSchema: undefined,
    });
  });

  test('null is the same as absent', () => {
    const bare = parseBody(ChatSchema, { messages });
    const nulls = Object.fromEntries(
      [
        'model',
        'stream',
        'stream_options',
        'temperature',
        'stop',
        'n',
        'seed',
        'logit_bias',
        'speculative',
        'tools',
      ].map((name) => [name, null]),
    );
    expect(parseBody(ChatSchema, { messages, ...nulls })).toEqual(bare);
  });

  test('unknown fields and __proto__ change nothing', () => {
    const body = JSON.parse('{"messages":[{"role":"user","content":"hi"}],"x":1,"__proto__":{"n":5}}');
    expect(parseBody(ChatSchema, body)).toEqual(parseBody(ChatSchema, { messages }));
  });

  test('a setting of speculation that there is not is refused, for it would do nothing', () => {
    const { message, param } = errorOf(() =>
      parseBody(ChatSchema, { messages, speculative: { num_speculative_tokens: 4 } }),
    );
    expect(param).toBe('speculative.num_speculative_tokens');
    expect(message).toContain('needs `enabled`, `draft_tokens` or `verification`');
    const notAnObject = errorOf(() => parseBody(ChatSchema, { messages, speculative: 3 }));
    expect(notAnObject.message).toContain('`speculative` received 3, needs an object');
  });

  test('lone surrogates become U+FFFD', () => {
    const { messages: parsed } = parseBody(ChatSchema, { messages: [{ role: 'user', content: 'a\ud800' }] });
    expect(parsed[0]!.content).toBe('a\uFFFD');
  });
});

describe('CompletionSchema', () => {
  test.each([
    ['text', ['text']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[1, 2], [[1, 2]]],
    [
      [[1], [2, 3]],
      [[1], [2, 3]],
    ],
  ] as const)('prompt %j is the prompts %j', (prompt, prompts) => {
    expect(parseBody(CompletionSchema, { prompt }).prompts as unknown).toEqual(prompts);
  });

  test.each([
    [[], 'prompt', 'received an empty list, needs at least one text'],
    [[[]], 'prompt[0]', 'received an empty list, needs at least one token id'],
    [[1, 2, 3.5], 'prompt[2]', 'received 3.5, needs a token id'],
    [[1, 'a'], 'prompt[1]', 'received "a", needs a token id'],
    [['a', 1], 'prompt[1]', 'received 1, needs text'],
    [[[1], [2, -1]], 'prompt[1][1]', 'received -1, needs a token id'],
    [{}, 'prompt', 'received an object, needs a text, a list of texts'],
    [Array(65).fill('a'), 'prompt', 'received a list, needs at most 64 prompts'],
  ])('prompt %j is refused where it is wrong', (prompt, param, words) => {
    const error = errorOf(() => parseBody(CompletionSchema, { prompt }));
    expect(error.param).toBe(param);
    expect(error.message).toContain(`\`${param}\` ${words}`);
  });

  test('long lists are read, or refused, in a few milliseconds', () => {
    const ids = Array.from({ length: 100_000 }, (_, i) => i);
    const bodies = [
      { prompt: ids },
      { prompt: [ids, ids] },
      { prompt: [...ids, -1] },
      { prompt: ids.map((id) => id + 0.5) },
      { prompt: ids.map(String) },
      { prompt: ids.map((id) => ({ id })) },
      { prompt: 'a', stop: ids.map(String) },
    ];
    const read = (body: object): unknown => {
      try {
        return parseBody(CompletionSchema, body);
      } catch {
        return undefined;
      }
    };
    const times = bodies.map((body) => {
      read({ prompt: ids.slice(0, 1000) });
      const startedMs = performance.now();
      read(body);
      return performance.now() - startedMs;
    });
    expect(Math.max(...times)).toBeLessThan(20);
    expect(read(bodies[0]!)).toMatchObject({ prompts: [ids] });
  });

  test('an empty stop string is none, top_k -1 is off', () => {
    expect(parseBody(CompletionSchema, { prompt: 'a', stop: '', top_k: -1 })).toMatchObject({
      stop: [],
      topK: 0,
    });
  });
});

describe('parseBody()', () => {
  test('says what was found and what is needed, shortened', () => {
    const { message, param } = errorOf(() =>
      parseBody(CompletionSchema, { prompt: 'a', seed: 'x'.repeat(500) }),
    );
    expect(param).toBe('seed');
    expect(message).toMatch(/`seed` received "x+\.\.\., needs a whole number/);
    expect(message.length).toBeLessThan(200);
  });

  test('one of prompt and messages for TokenizeSchema', () => {
    for (const body of [{}, { prompt: 'a', messages }]) {
      expect(errorOf(() => parseBody(TokenizeSchema, body)).message).toContain('needs one of them');
    }
  });

  test.each([[null], [5], ['x'], [[]]])('%j is no object', (body) => {
    expect(errorOf(() => parseBody(ChatSchema, body)).param).toBeUndefined();
  });
});
