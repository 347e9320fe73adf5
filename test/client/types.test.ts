import { describe, expect, test } from 'bun:test';
import {
  type ChatBody,
  ChatSchema,
  type CompletionBody,
  CompletionSchema,
  parseBody,
} from '../../src/api/index.ts';
import type { ChatParams, CompletionParams, GenerationParams } from '../../src/client/index.ts';

/** Every field of both kinds of request; a field that is missing here does not compile. */
const GENERATION: Required<GenerationParams> = {
  model: 'm',
  max_tokens: 5,
  temperature: 0.5,
  top_p: 0.9,
  top_k: 7,
  min_p: 0.1,
  presence_penalty: 0.2,
  frequency_penalty: 0.3,
  repetition_penalty: 1.1,
  logit_bias: { '3': -1 },
  seed: 4,
  stop: ['a', 'b'],
  user: 'u',
  ignore_eos: true,
  speculative: { enabled: true, draft_tokens: 2 },
  return_token_ids: true,
};
const PARSED = {
  model: 'm',
  maxTokens: 5,
  temperature: 0.5,
  topP: 0.9,
  topK: 7,
  minP: 0.1,
  presencePenalty: 0.2,
  frequencyPenalty: 0.3,
  repetitionPenalty: 1.1,
  logitBias: new Map([[3, -1]]),
  seed: 4,
  stop: ['a', 'b'],
  ignoreEos: true,
  speculation: { enabled: true, draftLength: 2 },
  returnTokenIds: true,
};

describe("the client's requests are the server's", () => {
  test('chat', () => {
    const params: Required<ChatParams> = { ...GENERATION, messages: [{ role: 'user', content: 'Hello' }] };
    const toBodyName: (name: keyof ChatParams) => keyof ChatBody = (name) => name; // compiles, or a name is unknown
    expect(Object.keys(params)).toContain(toBodyName('messages'));
    expect(parseBody(ChatSchema, params)).toMatchObject(PARSED);
  });

  test('complete', () => {
    const params: Required<CompletionParams> = { ...GENERATION, prompt: 'Once' };
    const toBodyName: (name: keyof CompletionParams) => keyof CompletionBody = (name) => name;
    expect(Object.keys(params)).toContain(toBodyName('prompt'));
    expect(parseBody(CompletionSchema, params)).toMatchObject(PARSED);
  });
});
