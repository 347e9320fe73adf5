import { describe, expect, test } from 'bun:test';
import { DEFAULT_SAMPLING } from '../../src/engine/defaults.ts';
import { findBest, Sampler } from '../../src/engine/sampler.ts';
import { TokenHistory } from '../../src/engine/token-history.ts';
import type { SamplingParams } from '../../src/engine/types.ts';
import { gumbel, noiseBits, noiseKey, RandomStream } from '../../src/lib/random.ts';
import { chiSquareZ, softmax } from './statistics.ts';

const noTokens = new TokenHistory([0]);

function paramsOf(parts: Partial<SamplingParams>): SamplingParams {
  return { ...DEFAULT_SAMPLING, ...parts };
}

describe('Sampler.sample', () => {
  test('at temperature 0 is the argmax, the lowest id on a tie', () => {
    const sampler = new Sampler(4);
    expect(sampler.sample(Float32Array.of(1, 5, 5, 2), paramsOf({ temperature: 0 }), noTokens)).toBe(1);
  });

  test('equals the plain argmax of logit / temperature + Gumbel noise: the skip is exact', () => {
    const random = new RandomStream(5);
    for (let round = 0; round < 400; round++) {
      const size = 2 + random.nextInt(300);
      const logits = Float32Array.from({ length: size }, () => (random.next() - 0.5) * 40 * random.next());
      const params = paramsOf({ temperature: 0.05 + 2 * random.next(), seed: random.nextBits() });
      const history = new TokenHistory(new Array<number>(1 + random.nextInt(50)).fill(0));
      const key = noiseKey(params.seed, history.length);
      const scores = [...logits].map(
        (logit, id) => logit * (1 / params.temperature) + gumbel(noiseBits(key, id)),
      );
      const sampler = new Sampler(size);
      expect(sampler.sample(logits, params, history)).toBe(scores.indexOf(Math.max(...scores)));
      const [first, second] = scores.toSorted((a, b) => b - a);
      expect(Math.abs(sampler.lead - (first! - second!))).toBeLessThan(1e-9);
    }
  });

  test('the lead is what the token was ahead by, of those that the filters leave', () => {
    const sampler = new Sampler(4);
    const logits = Float32Array.of(1, 5, 3.5, 5);
    const leadWith = (parts: Partial<SamplingParams>) => {
      sampler.sample(logits, paramsOf(parts), noTokens);
      return sampler.lead;
    };
    expect(leadWith({ temperature: 0 })).toBe(0);
    expect(leadWith({ temperature: 0, logitBias: new Map([[3, -100]]) })).toBe(1.5);
    expect(leadWith({ temperature: 0.5, topK: 1 })).toBe(Number.POSITIVE_INFINITY);
    expect(leadWith({ temperature: 0.5, topK: 2 })).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  const cases: [string, Partial<SamplingParams>][] = [
    ['no filter', {}],
    ['low temperature', { temperature: 0.4 }],
    ['top_k', { topK: 5 }],
    ['top_p', { topP: 0.8, temperature: 1.3 }],
    ['min_p', { minP: 0.1 }],
    [
      'all filters, penalties and bias',
      {
        topK: 12,
        topP: 0.95,
        minP: 0.02,
        temperature: 1.5,
        repetitionPenalty: 1.4,
        presencePenalty: 0.5,
        frequencyPenalty: 0.3,
        logitBias: new Map([
          [3, 1.5],
          [7, -100],
        ]),
      },
    ],
  ];
  for (const [name, parts] of cases) {
    test(`draws from the distribution that writeProbs gives: ${name}`, () => {
      const size = 24;
      const random = new RandomStream(2);
      const logits = Float32Array.from({ length: size }, () => 5 * (random.next() - 0.5));
      const history = new TokenHistory([1, 2, 3, 4]);
      for (const id of [5, 5, 6, 1]) history.push(id);
      const sampler = new Sampler(size);
      const probs = new Float32Array(size);
      sampler.writeProbs(logits, paramsOf(parts), history, probs);
      const counts = new Array<number>(size).fill(0);
      for (let seed = 0; seed < 40_000; seed++)
        counts[sampler.sample(logits, paramsOf({ ...parts, seed }), history)]!++;
      expect(
        chiSquareZ(
          counts,
          [...probs].map((p) => p * 40_000),
        ),
      ).toBeLessThan(4.5);
    });
  }

  test('writeProbs is the softmax of the processed logits', () => {
    const logits = Float32Array.of(2, -1, 0.5, 1);
    const history = new TokenHistory([0, 1]);
    for (const id of [2, 2]) history.push(id);
    const params = paramsOf({
      temperature: 0.7,
      repetitionPenalty: 2,
      presencePenalty: 0.25,
      frequencyPenalty: 0.5,
      logitBias: new Map([[3, -0.5]]),
    });
    const probs = new Float32Array(4);
    new Sampler(4).writeProbs(logits, params, history, probs);
    const processed = [2 / 2, -1 * 2, 0.5 / 2 - 2 * 0.5 - 0.25, 1 - 0.5];
    for (const [id, expected] of softmax(processed, 0.7).entries())
      expect(probs[id]!).toBeCloseTo(expected, 6);
    expect([...logits]).toEqual([2, -1, 0.5, 1]); // the model's logits are left alone
  });

  test('tells when no logit is a number', () => {
    expect(() => findBest(Float32Array.of(Number.NaN, Number.NaN), 7)).toThrow(/position 7/);
  });

  test('costs well under 100 microseconds at 4096 tokens without filters', () => {
    const random = new RandomStream(9);
    const logits = Float32Array.from({ length: 4096 }, () => 8 * (random.next() + random.next() - 1));
    const sampler = new Sampler(4096);
    const timeOf = (parts: Partial<SamplingParams>) => {
      const times: number[] = [];
      for (let seed = 0; seed < 600; seed++) {
        const started = performance.now();
        sampler.sample(logits, paramsOf({ ...parts, seed }), noTokens);
        times.push(performance.now() - started);
      }
      return times.sort((a, b) => a - b)[300]! * 1000;
    };
    expect(timeOf({})).toBeLessThan(100);
    expect(timeOf({ temperature: 0 })).toBeLessThan(100);
    expect(timeOf({ topP: 0.95 })).toBeLessThan(500);
    expect(timeOf({ topK: 40 })).toBeLessThan(500);
  });
});
