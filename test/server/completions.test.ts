import { describe, expect, test } from 'bun:test';
import { END_ID } from '../fakes/byte-codec.ts';
import { createHarness, readChunks, textOf } from './harness.ts';

const PATH = '/v1/completions';

describe('POST /v1/completions', () => {
  test('answers with text, usage and metrics', async () => {
    const { post } = createHarness({ engine: { answer: () => 'hello' } });
    const response = await post(PATH, { prompt: 'abc', model: 'org/bytes', max_tokens: 100 });
    expect(response.status).toBe(200);
    const answer = await response.json();
    expect(answer).toMatchObject({
      object: 'text_completion',
      model: 'org/bytes',
      choices: [{ index: 0, text: 'hello', logprobs: null, finish_reason: 'stop' }],
      // 5 bytes and the end token, in 2 rounds of 3 of which 2 were drafted and accepted
      usage: {
        prompt_tokens: 3,
        completion_tokens: 6,
        total_tokens: 9,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { accepted_prediction_tokens: 4, rejected_prediction_tokens: 2 },
      },
      metrics: {
        speculative_decoding: {
          mean_acceptance_length: 3,
          num_spec_steps: 2,
          num_draft_tokens: 6,
          num_accepted_draft_tokens: 4,
        },
      },
    });
    expect(answer.metrics.speculative_decoding.draft_acceptance_rate).toBeCloseTo(4 / 6);
    expect(answer.choices[0]).not.toHaveProperty('token_ids');
  });

  test('defaults to 16 tokens and finish reason length', async () => {
    const { post } = createHarness({ engine: { answer: () => 'x'.repeat(100) } });
    const answer = await (await post(PATH, { prompt: 'a' })).json();
    expect(answer.choices[0]).toMatchObject({ text: 'x'.repeat(16), finish_reason: 'length' });
  });

  test('streams the same text, with [DONE], usage last and only if asked for', async () => {
    const { post } = createHarness({ engine: { answer: () => 'grüße 🎈!' } });
    const body = { prompt: 'a', max_tokens: 100, stream: true };
    const plain = await readChunks(await post(PATH, body));
    expect(textOf(plain)).toBe('grüße 🎈!');
    expect(plain.some((chunk) => 'usage' in chunk)).toBe(false);
    const chunks = await readChunks(await post(PATH, { ...body, stream_options: { include_usage: true } }));
    expect(textOf(chunks)).toBe('grüße 🎈!');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 14 }, metrics: {} });
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('stop');
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  test('never breaks a character across chunks', async () => {
    const { post } = createHarness({ engine: { answer: () => '日本語🎈é', roundTokens: 1 } });
    const chunks = await readChunks(await post(PATH, { prompt: 'a', max_tokens: 99, stream: true }));
    expect(textOf(chunks)).toBe('日本語🎈é');
    const texts = chunks.map((chunk) => chunk.choices[0]!.text!);
    expect(texts.filter((text) => text !== '').sort()).toEqual([...'日本語🎈é'].sort());
  });

  test('ends half a character at the token limit with U+FFFD', async () => {
    const { post } = createHarness({ engine: { answer: () => 'a🎈' } });
    const answer = await (await post(PATH, { prompt: 'a', max_tokens: 3 })).json();
    expect(answer.choices[0].text).toBe('a\uFFFD');
  });

  test.each([1, 2, 3, 7])(
    'stops before a stop string with %i tokens a round, streamed or not',
    async (roundTokens) => {
      const { post, engine } = createHarness({ engine: { answer: () => 'one STOP two', roundTokens } });
      const body = { prompt: 'a', max_tokens: 99, stop: ['STOP', 'zzz'] };
      const answer = await (await post(PATH, body)).json();
      expect(answer.choices[0]).toMatchObject({ text: 'one ', finish_reason: 'stop' });
      expect(answer.usage.completion_tokens).toBe(8);
      const details = answer.usage.completion_tokens_details;
      const { num_draft_tokens } = answer.metrics.speculative_decoding;
      expect(details.accepted_prediction_tokens + details.rejected_prediction_tokens).toBe(num_draft_tokens);
      const chunks = await readChunks(await post(PATH, { ...body, stream: true }));
      expect(textOf(chunks)).toBe('one ');
      expect(engine.ended()).toBe(engine.begun());
    },
  );

  test('gives back what was held for a stop string that never came', async () => {
    const { post } = createHarness({ engine: { answer: () => 'one STO' } });
    const answer = await (await post(PATH, { prompt: 'a', max_tokens: 99, stop: 'STOP' })).json();
    expect(answer.choices[0]).toMatchObject({ text: 'one STO', finish_reason: 'stop' });
  });

  test('gives token ids and origins when asked, one origin per chunk', async () => {
    const { post } = createHarness({ engine: { answer: () => 'hello' } });
    const body = { prompt: 'a', max_tokens: 99, return_token_ids: true };
    const ids = [...new TextEncoder().encode('hello'), END_ID];
    const origins = ['draft', 'draft', 'target', 'draft', 'draft', 'target'];
    const answer = await (await post(PATH, body)).json();
    expect(answer.choices[0]).toMatchObject({ token_ids: ids, token_origins: origins });
    const choices = (await readChunks(await post(PATH, { ...body, stream: true }))).map(
      (chunk) => chunk.choices[0]!,
    );
    expect(choices.flatMap((choice) => choice.token_ids!)).toEqual(ids);
    expect(choices.flatMap((choice) => choice.token_origins!)).toEqual(origins);
    for (const choice of choices) expect(new Set(choice.token_origins).size).toBeLessThanOrEqual(1);
  });

  test('takes lists of texts, ids and lists of ids, with n answers each', async () => {
    const { post, engine } = createHarness();
    for (const prompt of [
      ['ab', 'cd'],
      [
        [97, 98],
        [99, 100],
      ],
    ]) {
      const answer = await (await post(PATH, { prompt, n: 2, max_tokens: 9 })).json();
      expect(answer.choices.map((choice: { index: number }) => choice.index)).toEqual([0, 1, 2, 3]);
      expect(answer.choices.map((choice: { text: string }) => choice.text)).toEqual(['ab', 'ab', 'cd', 'cd']);
      expect(answer.usage.prompt_tokens).toBe(4);
    }
    const single = await (await post(PATH, { prompt: [104, 105] })).json();
    expect(single.choices[0].text).toBe('hi');
    expect(engine.ended()).toBe(9);
  });

  test('echo puts the prompt first; with 0 tokens nothing is generated', async () => {
    const { post, engine } = createHarness({ engine: { answer: () => 'yes' } });
    const answer = await (await post(PATH, { prompt: 'ok? ', echo: true })).json();
    expect(answer.choices[0].text).toBe('ok? yes');
    const nothing = await (await post(PATH, { prompt: 'ok? ', echo: true, max_tokens: 0 })).json();
    expect(nothing.choices[0]).toMatchObject({ text: 'ok? ', finish_reason: 'length' });
    expect(nothing.usage.completion_tokens).toBe(0);
    expect(engine.begun()).toBe(1);
    const chunks = await readChunks(await post(PATH, { prompt: 'ok? ', echo: true, stream: true }));
    expect(textOf(chunks)).toBe('ok? yes');
  });

  test('logprobs have one entry per token, the prompt first with echo', async () => {
    const { post } = createHarness({ engine: { answer: () => 'é' } });
    const answer = await (await post(PATH, { prompt: 'ab', echo: true, logprobs: 1, max_tokens: 2 })).json();
    expect(answer.choices[0].logprobs).toEqual({
      tokens: ['a', 'b', 'bytes:\\xc3', 'bytes:\\xa9'],
      token_logprobs: [null, -0.98, -1.95, -1.69],
      top_logprobs: [
        null,
        { A: 0, b: -0.98 },
        { A: 0, 'bytes:\\xc3': -1.95 },
        { A: 0, 'bytes:\\xa9': -1.69 },
      ],
      text_offset: [0, 1, 2, 2],
    });
    const prompt = await (await post(PATH, { prompt: 'ab', echo: true, logprobs: 0, max_tokens: 0 })).json();
    expect(prompt.choices[0]).toMatchObject({
      text: 'ab',
      logprobs: { tokens: ['a', 'b'], text_offset: [0, 1] },
    });
  });

  test('hands sampling and speculation on, with the defaults of generation_config.json', async () => {
    const { post, engine } = createHarness({ defaults: { temperature: 0.7, topP: 0.95 } });
    const body = {
      prompt: 'a',
      seed: 7,
      top_k: 5,
      min_p: 0.1,
      logit_bias: { '65': -3 },
      speculative: { draft_tokens: 4 },
      ignore_eos: true,
    };
    await post(PATH, body);
    expect(engine.requests[0]).toMatchObject({
      sampling: { temperature: 0.7, topP: 0.95, topK: 5, minP: 0.1, logitBias: new Map([[65, -3]]), seed: 7 },
      speculation: { enabled: true, draftLength: 4, verification: 'coupled' },
      stopTokenIds: [],
    });
    const speculative = { enabled: false, verification: 'rejection' };
    await post(PATH, { prompt: 'a', temperature: 0, speculative });
    expect(engine.requests[1]).toMatchObject({
      sampling: { temperature: 0, topK: 0, repetitionPenalty: 1 },
      speculation: { enabled: false, verification: 'rejection' },
      stopTokenIds: [END_ID],
    });
  });

  test('gives every answer its own seed, the same again for the same request', async () => {
    const { post, engine } = createHarness();
    for (let i = 0; i < 2; i++) await post(PATH, { prompt: 'a', n: 3, seed: 42 });
    const seeds = engine.requests.map((request) => request.sampling.seed);
    expect(seeds.slice(0, 3)).toEqual(seeds.slice(3));
    expect(seeds[0]).toBe(42);
    expect(new Set(seeds).size).toBe(3);
    await post(PATH, { prompt: 'a', n: 4 });
    expect(new Set(engine.requests.slice(6).map((request) => request.sampling.seed)).size).toBe(4);
  });
});
