import { describe, expect, test } from 'bun:test';
import { parseGeneration } from '../../src/hf/generation.ts';

describe('parseGeneration()', () => {
  test('prefers generation_config.json for ids and falls back to config.json', () => {
    const config = { bos_token_id: 1, eos_token_id: 2 };
    expect(parseGeneration({ eos_token_id: [5, 6] }, config)).toMatchObject({
      bosTokenId: 1,
      eosTokenIds: [5, 6],
    });
    expect(parseGeneration(undefined, config)).toMatchObject({ bosTokenId: 1, eosTokenIds: [2] });
    expect(parseGeneration({}, {})).toMatchObject({ bosTokenId: undefined, eosTokenIds: [] });
  });

  test('takes an explicit do_sample: false as temperature 0', () => {
    expect(parseGeneration({ do_sample: false, temperature: 0.7 }, {}).temperature).toBe(0);
    expect(parseGeneration({ temperature: 0.7 }, {}).temperature).toBe(0.7);
    expect(parseGeneration({}, {}).temperature).toBeUndefined();
  });

  test('reads no sampling values from config.json', () => {
    expect(parseGeneration(undefined, { temperature: 0.5, top_k: 3 })).toMatchObject({
      temperature: undefined,
      topK: undefined,
    });
  });

  test.each([
    ['temperature', { temperature: -1 }],
    ['top_p', { top_p: 1.5 }],
    ['repetition_penalty', { repetition_penalty: 0 }],
    ['eos_token_id', { eos_token_id: 'x' }],
  ])('refuses an impossible %s', (key, json) => {
    expect(() => parseGeneration(json, {})).toThrow(
      expect.objectContaining({ code: 'model_unreadable', message: expect.stringContaining(key) }),
    );
  });
});
