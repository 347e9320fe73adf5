import { describe, expect, test } from 'bun:test';
import type { GenerateRequest } from '../../src/engine/types.ts';
import { checkRequest } from '../../src/engine/validate.ts';
import { isSdfpError } from '../../src/lib/errors.ts';
import { type RequestParts, requestOf } from './helpers.ts';

const limits = { vocabSize: 32, maxContextTokens: 10 };

function errorOfCheck(request: GenerateRequest): unknown {
  try {
    checkRequest(request, limits);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('checkRequest', () => {
  const bad: [string, RequestParts][] = [
    ['promptIds', { promptIds: [] }],
    ['promptIds', { promptIds: [1, 32] }],
    ['promptIds', { promptIds: [-1] }],
    ['promptIds', { promptIds: [1.5] }],
    ['maxTokens', { maxTokens: -1 }],
    ['maxTokens', { maxTokens: Number.POSITIVE_INFINITY }],
    ['temperature', { sampling: { temperature: -0.1 } }],
    ['temperature', { sampling: { temperature: Number.NaN } }],
    ['temperature', { sampling: { temperature: Number.POSITIVE_INFINITY } }],
    ['topK', { sampling: { topK: -1 } }],
    ['topP', { sampling: { topP: 1.1 } }],
    ['minP', { sampling: { minP: -0.1 } }],
    ['repetitionPenalty', { sampling: { repetitionPenalty: 0 } }],
    ['repetitionPenalty', { sampling: { repetitionPenalty: Number.MIN_VALUE } }],
    ['repetitionPenalty', { sampling: { repetitionPenalty: 1e39 } }],
    ['temperature', { sampling: { temperature: 1e308 } }],
    ['presencePenalty', { sampling: { presencePenalty: -1e308 } }],
    ['frequencyPenalty', { sampling: { frequencyPenalty: 1e308 } }],
    ['logitBias', { sampling: { logitBias: new Map([[1, 1e39]]) } }],
    ['presencePenalty', { sampling: { presencePenalty: Number.NEGATIVE_INFINITY } }],
    ['frequencyPenalty', { sampling: { frequencyPenalty: Number.NaN } }],
    ['logitBias', { sampling: { logitBias: new Map([[99, 1]]) } }],
    ['logitBias', { sampling: { logitBias: new Map([[1, Number.NaN]]) } }],
    ['seed', { sampling: { seed: 2 ** 32 } }],
    ['seed', { sampling: { seed: -1 } }],
    ['draftLength', { speculation: { draftLength: 17 } }],
    ['topLogprobs', { topLogprobs: 21 }],
    ['stopTokenIds', { stopTokenIds: [32] }],
  ];
  for (const [param, parts] of bad) {
    test(`refuses ${param}: ${JSON.stringify(parts, (_, v) => (v instanceof Map ? [...v] : Number.isNaN(v) ? 'NaN' : v))}`, () => {
      const error = errorOfCheck(requestOf(parts));
      expect(isSdfpError(error, 'invalid_request') && error.param).toBe(param);
    });
  }

  test('refuses a prompt that leaves no room, with both numbers', () => {
    const error = errorOfCheck(requestOf({ promptIds: new Array<number>(10).fill(1) }));
    expect(isSdfpError(error, 'context_length_exceeded') && error.message).toMatch(/10 tokens.* 10,/);
    expect(
      errorOfCheck(requestOf({ promptIds: new Array<number>(9).fill(1), maxTokens: 99 })),
    ).toBeUndefined();
    expect(
      errorOfCheck(requestOf({ promptIds: new Array<number>(10).fill(1), maxTokens: 0 })),
    ).toBeUndefined();
    expect(
      isSdfpError(errorOfCheck(requestOf({ promptIds: new Array<number>(11).fill(1), maxTokens: 0 }))),
    ).toBe(true);
  });
});
