import { describe, expect, test } from 'bun:test';
import { DEFAULT_SAMPLING } from '../../src/engine/defaults.ts';
import { TokenFilter } from '../../src/engine/token-filter.ts';
import type { SamplingParams } from '../../src/engine/types.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { softmax } from './statistics.ts';

/** The same by sorting, as the papers and vLLM describe it. */
function selectBySorting(logits: Float32Array, params: SamplingParams): number[] {
  let ids = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (params.topK > 0) ids = ids.slice(0, params.topK);
  const probs = softmax(
    ids.map((id) => logits[id]!),
    params.temperature,
  );
  if (params.topP < 1) {
    let mass = 0;
    const last = probs.findIndex((probability) => {
      mass += probability;
      return mass >= params.topP - 1e-12;
    });
    ids = ids.slice(0, last < 0 ? ids.length : last + 1);
  }
  if (params.minP > 0) ids = ids.filter((_, i) => probs[i]! >= params.minP * probs[0]! * (1 - 1e-12));
  return ids.sort((a, b) => a - b);
}

function randomLogits(random: RandomStream, size: number): Float32Array {
  const spread = 1 + 12 * random.next();
  const step = random.next() < 0.3 ? 1 : 0; // whole numbers: many ties
  return Float32Array.from({ length: size }, () => {
    const logit = (random.next() - 0.5) * spread;
    return step === 1 ? Math.round(logit) : logit;
  });
}

describe('TokenFilter.select', () => {
  test('keeps what sorting would keep, over random logits and parameters', () => {
    const random = new RandomStream(1);
    for (let round = 0; round < 1500; round++) {
      const size = 1 + random.nextInt(round % 10 === 0 ? 600 : 40);
      const filter = new TokenFilter(size);
      const logits = randomLogits(random, size);
      const params: SamplingParams = {
        ...DEFAULT_SAMPLING,
        temperature: 0.3 + 1.5 * random.next(),
        topK: random.next() < 0.5 ? 0 : 1 + random.nextInt(size + 2),
        topP: random.next() < 0.4 ? 1 : random.next(),
        minP: random.next() < 0.5 ? 0 : 0.5 * random.next(),
      };
      const kept = filter.select(logits, logits.indexOf(Math.max(...logits)), params);
      const ids = kept === null ? [...logits.keys()] : [...kept].sort((a, b) => a - b);
      expect(ids).toEqual(selectBySorting(logits, params));
    }
  });

  test('is off by default, and never keeps nothing', () => {
    const logits = Float32Array.of(1, 3, 2, 3);
    const filter = new TokenFilter(4);
    expect(filter.select(logits, 1, DEFAULT_SAMPLING)).toBeNull();
    expect([...filter.select(logits, 1, { ...DEFAULT_SAMPLING, topP: 0 })!]).toEqual([1]);
    expect([...filter.select(logits, 1, { ...DEFAULT_SAMPLING, topK: 1 })!]).toEqual([1]);
    expect([...filter.select(logits, 1, { ...DEFAULT_SAMPLING, minP: 1 })!].sort()).toEqual([1, 3]);
  });
});
