import { describe, expect, test } from 'bun:test';
import { TokenHistory } from '../../src/engine/token-history.ts';

describe('TokenHistory', () => {
  test('counts generated tokens, not the prompt', () => {
    const history = new TokenHistory([1, 1, 2]);
    for (const id of [1, 3, 3]) history.push(id);
    expect([...history.generatedCounts]).toEqual([
      [1, 1],
      [3, 2],
    ]);
    expect([...history.promptTokens]).toEqual([1, 2]);
    expect(history.from(2)).toEqual([2, 1, 3, 3]);
    expect(history.slice(1, 4)).toEqual([1, 2, 1]);
  });

  test('trim is absolute and takes the counts back', () => {
    const history = new TokenHistory([1]);
    for (const id of [2, 3, 2, 4]) history.push(id);
    history.trim(3);
    history.trim(3);
    expect(history.from(0)).toEqual([1, 2, 3]);
    expect([...history.generatedCounts]).toEqual([
      [2, 1],
      [3, 1],
    ]);
    expect(() => history.trim(0)).toThrow(RangeError);
  });
});
