import { expect, test } from 'bun:test';
import { DraftVocabulary } from '../../src/engine/draft-vocabulary.ts';

const NONE = Number.NEGATIVE_INFINITY;

test('DraftVocabulary.spread() puts each row at its tokens, whatever the number of rows before', () => {
  const vocabulary = new DraftVocabulary([1, 4], 5);
  const one = [NONE, 7, NONE, NONE, 8];
  expect([...vocabulary.spread(Float32Array.of(7, 8))]).toEqual(one);
  expect([...vocabulary.spread(Float32Array.of(1, 2, 3, 4))]).toEqual([
    ...[NONE, 1, NONE, NONE, 2],
    ...[NONE, 3, NONE, NONE, 4],
  ]);
  expect([...vocabulary.spread(Float32Array.of(7, 8))]).toEqual(one);
});
