import { describe, expect, test } from 'bun:test';
import { RandomStream } from '../../src/lib/random.ts';
import { chooseVocabularySize, coverageOf, selectVocabulary } from '../../src/plan/vocabulary.ts';

const TEXT = {
  sequences: [
    [9, 9, 9, 5],
    [5, 7, 5, 2],
  ],
  vocabSize: 12,
  always: [11],
};

describe('selectVocabulary()', () => {
  test('has the most frequent tokens, ids ascending, of equally frequent ones the lowest ids', () => {
    expect(selectVocabulary(TEXT, 3)).toEqual([5, 9, 11]);
    expect(selectVocabulary(TEXT, 4)).toEqual([2, 5, 9, 11]);
    expect(selectVocabulary(TEXT, 5)).toEqual([2, 5, 7, 9, 11]);
  });

  test('goes on with tokens that do not occur, by id', () => {
    expect(selectVocabulary(TEXT, 8)).toEqual([0, 1, 2, 3, 5, 7, 9, 11]);
    expect(selectVocabulary(TEXT, 12)).toEqual(Array.from({ length: 12 }, (_, id) => id));
  });

  test('always has the tokens that end a text, however rare', () => {
    expect(selectVocabulary({ ...TEXT, always: [11, 4] }, 2)).toEqual([4, 11]);
    expect(selectVocabulary({ ...TEXT, always: [9] }, 2)).toEqual([5, 9]);
  });
});

describe('coverageOf()', () => {
  test('counts in a sequence what the others would have in the vocabulary', () => {
    // [5, 11] of the second sequence for the first, [9, 11] of the first for the second.
    expect(coverageOf(TEXT, [2, 12])).toEqual([1 / 8, 1]);
    expect(coverageOf({ ...TEXT, sequences: [[1, 2, 3]] }, [12])).toEqual([0]);
  });

  test('is that of other text of the same kind', () => {
    const random = new RandomStream(3);
    const write = () =>
      Array.from({ length: 40 }, () =>
        Array.from({ length: 100 }, () => Math.floor(1000 * random.next() ** 4)),
      );
    const statistics = { sequences: write(), vocabSize: 1000, always: [] };
    const sizes = [50, 200, 500];
    const coverage = coverageOf(statistics, sizes);
    for (const [i, size] of sizes.entries()) {
      const vocabulary = new Set(selectVocabulary(statistics, size));
      const other = write().flat();
      const share = other.filter((id) => vocabulary.has(id)).length / other.length;
      expect(Math.abs(coverage[i]! - share)).toBeLessThan(0.02);
    }
  });
});

describe('chooseVocabularySize()', () => {
  const [vocabSize, always] = [8192, [0]];
  /** Sequences whose tokens are below `numTokens`, all equally often. */
  const textOf = (numTokens: number) => {
    const random = new RandomStream(1);
    return Array.from({ length: 64 }, () => Array.from({ length: 256 }, () => random.nextInt(numTokens)));
  };
  const choose = (numTokens: number, headShare: number) =>
    chooseVocabularySize(
      { sequences: textOf(numTokens), vocabSize, always },
      { blocks: (vocabSize * (1 - headShare)) / headShare, perToken: 1 },
    );

  test('is about as large as the text needs, and at most half', () => {
    expect(choose(200, 0.2)).toBe(256);
    expect(choose(1000, 0.2)).toBe(1024);
    expect(choose(4000, 0.2)).toBe(4096);
    expect(choose(8000, 0.2)).toBeUndefined();
  });

  test('is none where the head is a small part of a step', () => {
    expect(choose(200, 0.04)).toBe(256);
    expect(choose(200, 0.02)).toBeUndefined();
  });

  test('is smaller, at the cost of tokens, the larger the head is', () => {
    const random = new RandomStream(2);
    const sequences = Array.from({ length: 64 }, () =>
      Array.from({ length: 256 }, () => Math.floor(vocabSize * random.next() ** 6)),
    );
    const sizes = [0.1, 0.3, 0.6, 0.95].map(
      (headShare) =>
        chooseVocabularySize(
          { sequences, vocabSize, always },
          { blocks: (vocabSize * (1 - headShare)) / headShare, perToken: 1 },
        ) ?? vocabSize,
    );
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(sizes.at(-1)!).toBeLessThan(sizes[0]!);
  });

  test('is none without text', () => {
    const weights = { blocks: 1, perToken: 1 };
    expect(chooseVocabularySize({ sequences: [], vocabSize, always }, weights)).toBeUndefined();
    expect(chooseVocabularySize({ sequences: textOf(200), vocabSize: 300, always }, weights)).toBeUndefined();
  });
});
