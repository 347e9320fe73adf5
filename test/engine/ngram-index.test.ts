import { describe, expect, test } from 'bun:test';
import { continueFrom, LONGEST_MATCH, type Match, NgramIndex } from '../../src/engine/ngram-index.ts';
import { TokenHistory } from '../../src/engine/token-history.ts';
import { RandomStream } from '../../src/lib/random.ts';

function indexOf(ids: readonly number[], capacity = ids.length) {
  const tokens = new TokenHistory(ids);
  const index = new NgramIndex(capacity);
  while (index.length < ids.length - 1) index.add(tokens);
  return { tokens, find: () => index.find(tokens, ids.length - 1) };
}

/** The longest agreement with any earlier place, in the plainest way; the latest of equals. */
function findPlainly(ids: readonly number[]): Match | null {
  let best: Match | null = null;
  for (let end = ids.length - 2; end >= 0; end--) {
    let length = 0;
    while (length < LONGEST_MATCH && length <= end && ids[end - length] === ids[ids.length - 1 - length])
      length++;
    if (length > (best?.length ?? 0)) best = { next: end + 1, length };
  }
  return best;
}

describe('NgramIndex.find', () => {
  const cases: [string, number[], Match | null][] = [
    ['no token', [], null],
    ['one token', [7], null],
    ['nothing repeats', [1, 2, 3, 4], null],
    ['one token repeats: the latest place', [5, 1, 5, 2, 5], { next: 3, length: 1 }],
    ['a longer match goes before a later one', [1, 2, 3, 9, 7, 2, 3, 8, 1, 2, 3], { next: 3, length: 3 }],
    ['a later match goes before an equal one', [1, 2, 9, 1, 2, 8, 1, 2], { next: 5, length: 2 }],
    ['a run of one token', [4, 4, 4, 4], { next: 3, length: 3 }],
  ];
  for (const [name, ids, match] of cases) {
    test(name, () => {
      expect(indexOf(ids).find()).toEqual(match);
    });
  }

  test('equals a plain search while no token pair occurs more often than it looks', () => {
    const random = new RandomStream(5);
    let found = 0;
    for (let round = 0; round < 3000; round++) {
      const vocabSize = 8 + random.nextInt(40);
      const length = random.nextInt(vocabSize * 12);
      const ids = Array.from({ length }, () => random.nextInt(vocabSize));
      // Copy a piece, so that long matches occur.
      const start = random.nextInt(Math.max(1, length));
      ids.push(...ids.slice(start, start + random.nextInt(50)));
      const places = ids.filter((id, i) => id === ids.at(-1) && ids[i - 1] === ids.at(-2)).length;
      if (places > 16) continue;
      const expected = findPlainly(ids);
      if (expected !== null && expected.length > 4) found++;
      // Two tokens of other values can share a slot of the table of single tokens: then a lone token may go unfound.
      const match = indexOf(ids, 4096).find();
      if (expected !== null && expected.length > 1) expect(match).toEqual(expected);
      else expect(match === null || match.length === 1).toBe(true);
    }
    expect(found).toBeGreaterThan(500);
  });

  test('a match is always true, also when the text is longer than the index', () => {
    const random = new RandomStream(8);
    for (const capacity of [1, 512]) {
      const ids = Array.from({ length: 3000 }, () => random.nextInt(12));
      const tokens = new TokenHistory([ids[0]!]);
      const index = new NgramIndex(capacity);
      for (const id of ids.slice(1)) {
        tokens.push(id);
        index.add(tokens);
        const last = tokens.length - 1;
        const match = index.find(tokens, last);
        if (match === null) continue;
        expect(match.next).toBeLessThanOrEqual(last);
        for (let i = 0; i < match.length; i++)
          expect(tokens.at(match.next - 1 - i)).toBe(tokens.at(last - i));
      }
    }
  });

  test('costs a few microseconds per token on the texts that are worst for it', () => {
    for (const vocabSize of [1, 2, 3]) {
      const random = new RandomStream(2);
      const tokens = new TokenHistory([0]);
      const index = new NgramIndex(100_000);
      const started = performance.now();
      for (let i = 0; i < 100_000; i++) {
        tokens.push(random.nextInt(vocabSize));
        index.add(tokens);
        index.find(tokens, tokens.length - 1);
      }
      expect((performance.now() - started) / 100_000).toBeLessThan(0.02);
    }
  });
});

test('continueFrom() goes round in what it copied', () => {
  const tokens = new TokenHistory([9, 1, 2, 3]);
  expect(continueFrom(tokens, 1, 2)).toEqual([1, 2]);
  expect(continueFrom(tokens, 2, 7)).toEqual([2, 3, 2, 3, 2, 3, 2]);
});
