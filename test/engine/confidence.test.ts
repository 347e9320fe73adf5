import { describe, expect, test } from 'bun:test';
import { confidenceOf } from '../../src/engine/confidence.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { softmax } from './statistics.ts';

describe('confidenceOf', () => {
  test('is the softmax at the temperature, and at 1 for greedy decoding', () => {
    const random = new RandomStream(3);
    for (const temperature of [0, 0.3, 0.7, 1, 1.8]) {
      for (const spread of [1, 8, 60]) {
        const logits = Float32Array.from({ length: 4096 }, () => spread * random.next() - 40);
        const expected = softmax(logits, temperature || 1);
        for (const id of [0, 17, 4095, logits.indexOf(Math.max(...logits))]) {
          expect(Math.abs(confidenceOf(logits, id, temperature) - expected[id]!)).toBeLessThan(1e-4);
        }
      }
    }
  });

  test('costs little beside a draft step', () => {
    const random = new RandomStream(4);
    const logits = Float32Array.from({ length: 4096 }, () => 20 * random.next());
    const started = performance.now();
    for (let i = 0; i < 500; i++) confidenceOf(logits, i, 0.7);
    expect((performance.now() - started) / 500).toBeLessThan(0.3);
  });
});
