import { describe, expect, test } from 'bun:test';
import { verifyCoupled, verifyRejection } from '../../src/engine/verify.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { chiSquareZ, softmax } from './statistics.ts';

describe('verifyCoupled', () => {
  const target = [7, 8, 9, 10];
  const cases: [string, number[], { accepted: number; next: number }][] = [
    ['no draft gives the target token', [], { accepted: 0, next: 7 }],
    ['a wrong first token gives the recovered one', [1, 8, 9], { accepted: 0, next: 7 }],
    ['a later wrong token keeps those before it', [7, 8, 1], { accepted: 2, next: 9 }],
    ['agreement all along gives the bonus token', [7, 8, 9], { accepted: 3, next: 10 }],
  ];
  for (const [name, draft, verdict] of cases) {
    test(name, () => {
      const rows: number[] = [];
      const sample = (row: number) => {
        rows.push(row);
        return target[row]!;
      };
      expect(verifyCoupled(draft, sample)).toEqual(verdict);
      expect(rows).toEqual(Array.from({ length: verdict.accepted + 1 }, (_, row) => row)); // no sample is wasted
    });
  }
});

describe('verifyRejection', () => {
  const noise = { acceptance: () => 0.5, recovery: () => 0.5 };

  test('accepts where the target gives the token at least as much, rejects where it gives none', () => {
    const wanted = Float32Array.of(0.5, 0.5, 0);
    const proposed = Float32Array.of(0.4, 0.2, 0.4);
    expect(verifyRejection([0], [proposed], () => wanted, noise).accepted).toBe(1);
    expect(verifyRejection([2], [proposed], () => wanted, noise)).toMatchObject({ accepted: 0 });
  });

  test('the recovered token is one that the draft proposes too seldom', () => {
    const wanted = Float32Array.of(0.2, 0.3, 0.5);
    const proposed = Float32Array.of(0.7, 0.3, 0);
    for (const uniform of [0.001, 0.5, 0.999]) {
      const verdict = verifyRejection([0], [proposed], () => wanted, {
        acceptance: () => 0.9,
        recovery: () => uniform,
      });
      expect(verdict).toEqual({ accepted: 0, next: 2 });
    }
  });

  test('a token without a distribution had no choice: accepted as often as the target would take it', () => {
    const random = new RandomStream(12);
    const wanted = Float32Array.from(softmax(Array.from({ length: 8 }, () => 2 * random.next())));
    const counts = new Array<number>(8).fill(0);
    let accepted = 0;
    for (let i = 0; i < 40_000; i++) {
      const verdict = verifyRejection([5], [], () => wanted, {
        acceptance: () => random.next(),
        recovery: () => random.next(),
      });
      accepted += verdict.accepted;
      counts[verdict.accepted === 1 ? 5 : verdict.next]!++;
    }
    expect(accepted / 40_000).toBeCloseTo(wanted[5]!, 1);
    expect(
      chiSquareZ(
        counts,
        [...wanted].map((p) => p * 40_000),
      ),
    ).toBeLessThan(4.5);
  });

  test('falls back to the target where rounding leaves no positive part', () => {
    const wanted = Float32Array.of(0, 1);
    const verdict = verifyRejection([0], [Float32Array.of(1, 1)], () => wanted, noise);
    expect(verdict).toEqual({ accepted: 0, next: 1 });
  });

  test('the first emitted token has the target distribution, for drafts near and far', () => {
    const random = new RandomStream(3);
    for (const distance of [0.3, 2, 6]) {
      const logits = Array.from({ length: 12 }, () => 3 * random.next());
      const wanted = Float32Array.from(softmax(logits));
      const proposed = Float32Array.from(
        softmax(logits.map((logit) => logit + distance * (random.next() - 0.5))),
      );
      const counts = new Array<number>(12).fill(0);
      for (let i = 0; i < 60_000; i++) {
        const drafted = drawFrom(proposed, random.next());
        const verdict = verifyRejection([drafted], [proposed], () => wanted, {
          acceptance: () => random.next(),
          recovery: () => random.next(),
        });
        counts[verdict.accepted === 1 ? drafted : verdict.next]!++;
      }
      expect(
        chiSquareZ(
          counts,
          [...wanted].map((p) => p * 60_000),
        ),
      ).toBeLessThan(4.5);
    }
  });
});

function drawFrom(probs: Float32Array, uniform: number): number {
  let left = uniform;
  const id = probs.findIndex((probability) => {
    left -= probability;
    return left < 0;
  });
  return id < 0 ? probs.length - 1 : id;
}
