import { describe, expect, test } from 'bun:test';
import { sampleSequences, startOfText } from '../../src/fit/sampled-sequences.ts';

const defaults = {
  bosTokenId: undefined,
  eosTokenIds: [],
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  repetitionPenalty: undefined,
};

async function take<T>(sequences: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const sequence of sequences) {
    taken.push(sequence);
    if (taken.length === count) break;
  }
  return taken;
}

describe('sampleSequences()', () => {
  test('puts the starts in front in turn and bounds the length', async () => {
    const asked: number[] = [];
    const sample = async (prompt: readonly number[], maxTokens: number) => {
      asked.push(maxTokens);
      return Array.from({ length: maxTokens }, (_, i) => prompt.length * 100 + i);
    };
    const taken = await take(
      sampleSequences({ sample, starts: [[1], [1, 2, 3]], maxTokens: 16, seed: 5 }),
      3,
    );
    expect(asked).toEqual([15, 13, 15]);
    expect(taken.map((sequence) => sequence.length)).toEqual([16, 16, 16]);
    expect(taken[1]!.slice(0, 4)).toEqual([1, 2, 3, 300]);
  });

  test('gives every draw a seed of its own, the same for the same seed', async () => {
    const seedsOf = async (seed: number) => {
      const seeds: number[] = [];
      const sample = async (_prompt: readonly number[], maxTokens: number, drawSeed: number) => {
        seeds.push(drawSeed);
        return Array.from({ length: maxTokens }, () => 7);
      };
      await take(sampleSequences({ sample, starts: [[0]], maxTokens: 16, seed }), 20);
      return seeds;
    };
    const first = await seedsOf(1);
    expect(first).toEqual(await seedsOf(1));
    expect(new Set([...first, ...(await seedsOf(2))]).size).toBe(40);
    for (const seed of first) expect(seed).toBe(seed >>> 0);
  });

  test('goes on behind an end until the sequence is full or nothing more comes', async () => {
    const asked: number[][] = [];
    const sample = async (prompt: readonly number[], maxTokens: number, seed: number) => {
      asked.push([prompt.length, maxTokens, seed]);
      return Array.from({ length: asked.length === 3 ? 2 : Math.min(10, maxTokens) }, () => 4);
    };
    const options = { sample, starts: [[0]], maxTokens: 40, seed: 1 };
    const [endsEarly, full] = await take(sampleSequences(options), 2);
    expect(endsEarly).toHaveLength(23);
    expect(full).toHaveLength(40);
    expect(asked.map(([promptLength]) => promptLength)).toEqual([1, 11, 21, 1, 11, 21, 31]);
    expect(asked.map(([, maxTokens]) => maxTokens)).toEqual([39, 29, 19, 39, 29, 19, 9]);
    expect(new Set(asked.map(([, , seed]) => seed)).size).toBe(7);
  });

  test('leaves out texts that end at once, and gives up when all do', async () => {
    let draw = 0;
    const sample = async () => (draw++ % 2 === 0 ? [9] : Array.from({ length: 27 }, () => 4));
    const taken = await take(sampleSequences({ sample, starts: [[0]], maxTokens: 32, seed: 1 }), 2);
    expect(taken).toEqual(Array.from({ length: 2 }, () => [0, ...Array.from({ length: 27 }, () => 4)]));
    expect(draw).toBe(4);
    const endsAtOnce = sampleSequences({ sample: async () => [9], starts: [[0]], maxTokens: 32, seed: 1 });
    await expect(take(endsAtOnce, 1)).rejects.toThrow(/from \[0\].*give a calibration file/);
  });
});

describe('startOfText()', () => {
  test('is BOS, or an end token, or a refusal', () => {
    expect(startOfText({ ...defaults, bosTokenId: 1, eosTokenIds: [2] })).toEqual([1]);
    expect(startOfText({ ...defaults, eosTokenIds: [2, 5] })).toEqual([2]);
    expect(() => startOfText(defaults)).toThrow(/bos_token_id nor eos_token_id/);
  });
});
