import { describe, expect, test } from 'bun:test';
import {
  completeSampling,
  parseRuntime,
  parseSampling,
  parseSpeculation,
} from '../../src/cli/generation-flags.ts';

const folder = {
  bosTokenId: undefined,
  eosTokenIds: [],
  temperature: 0.7,
  topP: 0.9,
  topK: 20,
  repetitionPenalty: 1.1,
};
const silent = {
  ...folder,
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  repetitionPenalty: undefined,
};

describe('completeSampling()', () => {
  test('takes the folder where flags are silent', () => {
    const sampling = completeSampling(parseSampling({ 'top-k': '5', seed: '3' }), folder);
    expect(sampling).toMatchObject({ temperature: 0.7, topP: 0.9, topK: 5, repetitionPenalty: 1.1, seed: 3 });
  });

  test('is greedy and neutral where nobody says anything', () => {
    const neutral = {
      temperature: 0,
      topP: 1,
      topK: 0,
      minP: 0,
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
    };
    expect(completeSampling(parseSampling({}), silent)).toMatchObject(neutral);
  });

  test('--temperature 0 leaves the recipe of the folder out, but for flags', () => {
    expect(completeSampling(parseSampling({ temperature: '0' }), folder)).toMatchObject({
      topK: 0,
      repetitionPenalty: 1,
    });
    const penalised = parseSampling({ temperature: '0', 'repetition-penalty': '1.2' });
    expect(completeSampling(penalised, folder).repetitionPenalty).toBe(1.2);
  });

  test('draws another seed each time', () => {
    const seeds = Array.from({ length: 8 }, () => completeSampling(parseSampling({}), silent).seed);
    expect(new Set(seeds).size).toBeGreaterThan(6);
  });
});

test('parseSpeculation() and parseRuntime() read their flags', () => {
  expect(parseSpeculation({ speculation: false })).toEqual({
    enabled: false,
    draftLength: undefined,
    verification: 'coupled',
  });
  expect(parseSpeculation({ speculation: true, 'draft-tokens': '16' }).draftLength).toBe(16);
  expect(parseSpeculation({ speculation: true, verification: 'rejection' }).verification).toBe('rejection');
  expect(() => parseSpeculation({ speculation: true, 'draft-tokens': '0' })).toThrow(/--draft-tokens is "0"/);
  expect(parseRuntime({ provider: 'cpu', threads: '2' })).toEqual({ provider: 'cpu', threads: 2 });
  expect(() => parseRuntime({ threads: 'all' })).toThrow(/--threads is "all"/);
});
