import { describe, expect, test } from 'bun:test';
import { PrefixCache } from '../../src/engine/prefix-cache.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { openGoldenEngine, openInt4Engine } from './golden-engine.ts';
import { collect, requestOf, scriptedEngine } from './helpers.ts';

function countTo(length: number, first = 0): number[] {
  return Array.from({ length }, (_, i) => (first + i) % 32);
}

describe('PrefixCache', () => {
  /** Sequences that hold the given tokens, 4 bytes each. */
  function cacheWith(maxBytes: number, ...kept: number[][]): { cache: PrefixCache; model: ScriptedModel } {
    const model = new ScriptedModel();
    const cache = new PrefixCache(maxBytes);
    for (const ids of kept) {
      const sequence = model.openSequence();
      sequence.forward(ids, 1, 'target');
      cache.keep('me', ids, sequence);
    }
    return { cache, model };
  }

  function reusedOf(
    { cache, model }: ReturnType<typeof cacheWith>,
    promptIds: number[],
    owner = 'me',
  ): number {
    const sequence = model.openSequence();
    cache.reuse(owner, promptIds, sequence);
    return sequence.length;
  }

  test('gives the longest common beginning, but never the whole prompt', () => {
    const known = cacheWith(1e6, countTo(100), [...countTo(40), 7, 7, 7]);
    expect(reusedOf(known, [...countTo(60), 9])).toBe(60);
    expect(reusedOf(known, [...countTo(40), 7, 7, 9])).toBe(42);
    expect(reusedOf(known, countTo(100))).toBe(99);
    expect(reusedOf(known, countTo(100, 1))).toBe(0);
    expect(reusedOf(known, countTo(10))).toBe(0);
  });

  test('tells an owner nothing of what another has asked', () => {
    const known = cacheWith(1e6, countTo(100));
    expect(reusedOf(known, countTo(100), 'you')).toBe(0);
    expect(reusedOf(known, countTo(100))).toBe(99);
  });

  test('keeps one entry of a text that grows', () => {
    const { cache } = cacheWith(1e6, countTo(50), countTo(80), countTo(70));
    expect(cache.bytes).toBe(320);
  });

  test('never holds more than it may, and forgets what was not used for longest', () => {
    const texts = [0, 1, 2, 3].map((first) => countTo(50, first));
    const known = cacheWith(450, ...texts.slice(0, 2));
    expect(reusedOf(known, [...texts[0]!, 9])).toBe(50);
    const sequence = known.model.openSequence();
    sequence.forward(texts[2]!, 1, 'target');
    known.cache.keep('me', texts[2]!, sequence);
    expect(known.cache.bytes).toBe(400);
    expect(texts.map((ids) => reusedOf(known, [...ids, 9]))).toEqual([50, 0, 50, 0]);
    expect(cacheWith(100, texts[0]!).cache.bytes).toBe(0);
    expect(cacheWith(0, texts[0]!).cache.bytes).toBe(0);
  });
});

describe('an engine with a prefix cache', () => {
  test('runs only what is new of a conversation, and says so', async () => {
    const model = new ScriptedModel();
    const engine = scriptedEngine(model);
    const first = await collect(engine, requestOf({ promptIds: countTo(60) }));
    expect(first.done.stats.numCachedTokens).toBe(0);
    const before = model.steps.length;
    const promptIds = [...countTo(60), ...first.ids, 3, 4, 5];
    const second = await collect(engine, requestOf({ promptIds }));
    expect(second.done.stats.numCachedTokens).toBe(60 + 15); // the last token was not run yet
    expect(model.steps[before]!.width).toBe(4);
    expect(second.ids).toEqual(model.greedy(promptIds, 16));
  });

  test('takes nothing where it may keep nothing, nor where every position has to be run', async () => {
    const off = scriptedEngine(new ScriptedModel(), { prefixCacheBytes: 0 });
    const on = scriptedEngine(new ScriptedModel());
    for (const [engine, promptLogprobs] of [
      [off, false],
      [on, true],
    ] as const) {
      const request = requestOf({ promptIds: countTo(60), promptLogprobs, topLogprobs: 0 });
      await collect(engine, request);
      const again = await collect(engine, request);
      expect(again.done.stats.numCachedTokens).toBe(0);
    }
  });

  test.each([
    ['stored', openGoldenEngine],
    ['int4', openInt4Engine],
  ] as const)(
    'target of %s: gives the texts of an engine without one: conversations that grow, branch and run at once',
    async (_, open) => {
      const dropped = [{ layer: 1, block: 'attn' }] as const;
      const engine = await open('smollm2-tied', dropped);
      const plain = await open('smollm2-tied', dropped, { prefixCacheBytes: 0 });
      const random = new RandomStream(8);
      const texts: number[][] = [Array.from({ length: 40 }, () => random.nextInt(engine.info.vocabSize))];
      let cached = 0;
      for (let turn = 0; turn < 12; turn++) {
        const from = texts[random.nextInt(texts.length)]!;
        const promptIds = [
          ...from.slice(0, 20 + random.nextInt(from.length - 20)),
          random.nextInt(100),
        ].slice(-200);
        const requests = [0, 0.9].map((temperature) =>
          requestOf({ promptIds, maxTokens: 24, sampling: { temperature, seed: turn } }),
        );
        const answers = await Promise.all(requests.map((request) => collect(engine, request)));
        for (const [i, request] of requests.entries()) {
          expect(answers[i]!.ids).toEqual((await collect(plain, request)).ids);
          cached += answers[i]!.done.stats.numCachedTokens;
          texts.push([...promptIds, ...answers[i]!.ids]);
        }
      }
      expect(cached).toBeGreaterThan(300);
      await Promise.all([engine.dispose(), plain.dispose()]);
    },
  );
});
