import { describe, expect, test } from 'bun:test';
import { DEFAULT_SAMPLING, DEFAULT_SPECULATION } from '../../src/engine/index.ts';
import type { Engine, GenerateRequest } from '../../src/engine/types.ts';
import { compareSpeculation } from '../../src/measure/speed.ts';
import { encodeWorkload, WORKLOADS } from '../../src/measure/workloads.ts';
import { loadTextCodec } from '../../src/text/index.ts';
import { createScriptedEngine } from '../fakes/scripted-engine.ts';
import { goldenDir, STORIES_DIR } from '../golden/models.ts';

const request: GenerateRequest = {
  promptIds: [1, 2, 3],
  maxTokens: 12,
  sampling: DEFAULT_SAMPLING,
  speculation: DEFAULT_SPECULATION,
  stopTokenIds: [],
  topLogprobs: undefined,
};

describe('compareSpeculation()', () => {
  test('takes turns, reverses the order each round, and counts what was accepted', async () => {
    const engine = createScriptedEngine({ roundTokens: 3 });
    const result = await compareSpeculation(engine, [request], DEFAULT_SPECULATION, 2);
    expect(engine.requests.map(({ speculation }) => speculation.enabled)).toEqual([false, true, true, false]);
    expect(result.textsEqual).toBe(true);
    expect(result.acceptanceLength).toBe(3);
    expect(result.acceptanceRate).toBeCloseTo(2 / 3, 9);
    expect(result.ratios).toHaveLength(2);
  });

  test('a ratio is plain time over speculative time', async () => {
    const [plain, speculative] = [
      createScriptedEngine({ roundMs: 30 }),
      createScriptedEngine({ roundMs: 10 }),
    ];
    const engine: Engine = {
      ...plain,
      generate: (asked, signal) => (asked.speculation.enabled ? speculative : plain).generate(asked, signal),
    };
    const { ratio, plainTokensPerSecond, tokensPerSecond } = await compareSpeculation(
      engine,
      [request],
      DEFAULT_SPECULATION,
      3,
    );
    expect(ratio).toBeGreaterThan(1.8);
    expect(ratio).toBeLessThan(4);
    expect(tokensPerSecond / plainTokensPerSecond).toBeCloseTo(ratio, 0);
  });

  test('tells when the texts differ', async () => {
    const engine = createScriptedEngine({
      answer: ({ speculation }) => (speculation.enabled ? [5, 6] : [5, 7]),
    });
    const { textsEqual } = await compareSpeculation(engine, [request], DEFAULT_SPECULATION, 1);
    expect(textsEqual).toBe(false);
  });
});

describe('WORKLOADS', () => {
  test('are at least four kinds whose prompts leave room in the story model', async () => {
    const text = await loadTextCodec(STORIES_DIR);
    expect(WORKLOADS.length).toBeGreaterThanOrEqual(4);
    for (const workload of WORKLOADS) {
      for (const ids of encodeWorkload(workload, text)) {
        expect(ids.length).toBeGreaterThan(5);
        expect(ids.length).toBeLessThan(300);
      }
    }
  });

  test('a chat prompt goes through the template where there is one', async () => {
    const chat = WORKLOADS.find(({ form }) => form === 'chat')!;
    const withTemplate = await loadTextCodec(STORIES_DIR);
    const [first] = encodeWorkload(chat, withTemplate);
    expect(withTemplate.decode(first!, { skipSpecialTokens: false })).toEndWith('<|im_start|>assistant\n');
    const without = await loadTextCodec(goldenDir('mistral-f16'));
    expect(encodeWorkload(chat, without)[0]).toEqual(without.encode(chat.prompts[0]!));
  });
});
