import { describe, expect, test } from 'bun:test';
import { manifestToWire } from '../../src/artifact/index.ts';
import { parseGeneration } from '../../src/hf/generation.ts';
import { exampleContent } from '../artifact/example.ts';

function graphFile({ graph }: { readonly graph: string }) {
  return { name: graph, role: 'graph', bytes: 1, sha256: '0'.repeat(64), checkedFast: true } as const;
}

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

  test('takes values that switch a filter off as off, as transformers and vLLM do', () => {
    for (const topK of [-1, -7, 0]) expect(parseGeneration({ top_k: topK }, {}).topK).toBe(0);
    for (const topP of [1, 1.5]) expect(parseGeneration({ top_p: topP }, {}).topP).toBe(1);
    expect(parseGeneration({ top_k: 5, top_p: 0.9 }, {})).toMatchObject({ topK: 5, topP: 0.9 });
  });

  test('what it lets through an artifact can hold', () => {
    const generation = parseGeneration({ top_k: -1, top_p: 2, temperature: 0, repetition_penalty: 100 }, {});
    const { generation: wire } = manifestToWire({
      ...exampleContent,
      schemaVersion: 1,
      sdfpVersion: '1',
      files: exampleContent.drafts.map(graphFile).concat(graphFile(exampleContent.engine)),
      generation,
    });
    expect(wire).toMatchObject({ top_k: 0, top_p: 1, temperature: 0, repetition_penalty: 100 });
  });

  test.each([
    ['temperature', { temperature: -1 }],
    ['temperature', { temperature: 1e300 }],
    ['top_p', { top_p: -0.1 }],
    ['top_k', { top_k: 2.5 }],
    ['repetition_penalty', { repetition_penalty: 0 }],
    ['repetition_penalty', { repetition_penalty: 5e-324 }],
    ['eos_token_id', { eos_token_id: 'x' }],
  ])('refuses an impossible %s', (key, json) => {
    expect(() => parseGeneration(json, {})).toThrow(
      expect.objectContaining({ code: 'model_unreadable', message: expect.stringContaining(key) }),
    );
  });
});
