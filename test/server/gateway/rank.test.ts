import { describe, expect, test } from 'bun:test';
import { rank } from '../../../src/server/gateway/rank.ts';

const INSTANCES = [
  'https://one.example',
  'https://two.example',
  'https://three.example',
  'https://four.example',
];
const IDS = Array.from({ length: 200 }, (_, i) => `${i}`);

describe('rank()', () => {
  test('depends neither on the order of the list nor on other calls', () => {
    for (const id of IDS) {
      const ranked = rank(INSTANCES, id);
      expect([...ranked].sort()).toEqual([...INSTANCES].sort());
      expect(rank([...INSTANCES].reverse(), id)).toEqual(ranked);
    }
  });

  test('keeps the order of the others when an instance goes', () => {
    const gone = INSTANCES[1];
    const left = INSTANCES.filter((instance) => instance !== gone);
    for (const id of IDS) expect(rank(left, id)).toEqual(rank(INSTANCES, id).filter((one) => one !== gone));
  });

  test('uses every order', () => {
    const orders = new Set(IDS.map((id) => rank(INSTANCES.slice(0, 3), id).join()));
    expect(orders.size).toBe(6);
  });
});
