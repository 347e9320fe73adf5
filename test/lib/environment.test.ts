import { describe, expect, test } from 'bun:test';
import { refuseUnknownVariables } from '../../src/lib/environment.ts';
import { nearestName } from '../../src/lib/nearest.ts';

describe('refuseUnknownVariables()', () => {
  test('names the variable and the nearest known one', () => {
    expect(() => refuseUnknownVariables({ PATH: '/bin', SDFP_DEBG: '1' })).toThrow(
      /environment variable SDFP_DEBG: it is unknown; did you mean SDFP_DEBUG\?/,
    );
  });

  test('takes known ones and those of others', () => {
    expect(() => refuseUnknownVariables({ SDFP_DEBUG: '1', OTHER_THING: '1', sdfp_x: '1' })).not.toThrow();
  });
});

test.each([
  ['temprature', 'temperature'],
  ['sed', 'seed'],
  ['top_k', 'top-k'],
  ['zzzzzz', undefined],
  ['', undefined],
])('nearestName(%j) is %p', (word, name) => {
  expect(nearestName(word, ['temperature', 'seed', 'top-k'])).toBe(name);
});
