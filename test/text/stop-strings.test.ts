import { describe, expect, test } from 'bun:test';
import { createStopFilter, type StopResult } from '../../src/text/index.ts';
import { createRandom } from './random.ts';

interface Outcome {
  readonly text: string;
  readonly stop: string | undefined;
}

/** What the definition says, by trying every end and every stop string. */
function expectedOutcome(text: string, stops: readonly string[]): Outcome {
  for (let end = 1; end <= text.length; end++) {
    const complete = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    const stop = complete.toSorted((a, b) => b.length - a.length)[0];
    if (stop !== undefined) return { text: text.slice(0, end - stop.length), stop };
  }
  return { text, stop: undefined };
}

function run(
  pieces: readonly string[],
  stops: readonly string[],
): Outcome & { readonly results: StopResult[] } {
  const filter = createStopFilter(stops);
  const results: StopResult[] = [];
  for (const piece of pieces) {
    results.push(filter.push(piece));
    if (results.at(-1)!.stopped) break;
  }
  const text = results.map((result) => result.text).join('') + filter.flush();
  return { text, stop: results.at(-1)?.stop, results };
}

function cut(text: string, random: (limit: number) => number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = start + random(4);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

describe('createStopFilter()', () => {
  test('stops before the stop string and names it', () => {
    expect(run(['Hello', ' wor', 'ld', '. More'], ['world'])).toMatchObject({
      text: 'Hello ',
      stop: 'world',
    });
  });

  test('lets text go as soon as it can be no part of a stop string', () => {
    const { results } = run(['ab', '\n', '\nc', '\n'], ['\n\n\n']);
    expect(results.map((result) => result.text)).toEqual(['ab', '', '\n\nc', '']);
  });

  test('gives at flush() what only looked like a stop string', () => {
    expect(run(['so', ' STO'], ['STOP'])).toMatchObject({ text: 'so STO', stop: undefined });
  });

  test('takes the string that is complete first, and of those that end together the longest', () => {
    expect(run(['xabcd'], ['abcd', 'bc'])).toMatchObject({ text: 'xa', stop: 'bc' });
    expect(run(['xabc'], ['bc', 'abc', 'c'])).toMatchObject({ text: 'x', stop: 'abc' });
  });

  test('passes everything without stop strings', () => {
    expect(run(['a', 'b'], [])).toMatchObject({ text: 'ab', stop: undefined });
  });

  test('refuses an empty stop string, and text after the end', () => {
    expect(() => createStopFilter(['x', ''])).toThrow(RangeError);
    const filter = createStopFilter(['x']);
    expect(filter.push('ax').stopped).toBe(true);
    expect(filter.flush()).toBe('');
    expect(() => filter.push('b')).toThrow('after the text has ended');
  });

  test('does the same wherever a text is cut, and never lets a part of a stop string out', () => {
    const random = createRandom(3);
    const word = (length: number) => Array.from({ length }, () => 'ab\u{1F98A}'.charAt(random(4))).join('');
    let stopped = 0;
    for (let round = 0; round < 3000; round++) {
      const stops = Array.from({ length: random(4) }, () => word(1 + random(5)));
      const text = word(random(30));
      const expected = expectedOutcome(text, stops);
      const { results, ...actual } = run(cut(text, random), stops);
      expect(actual).toEqual(expected);
      // What is out at any moment is a beginning of the final text: nothing has to be taken back.
      let out = '';
      for (const result of results) {
        out += result.text;
        expect(expected.text.startsWith(out)).toBe(true);
      }
      if (expected.stop !== undefined) stopped++;
    }
    expect(stopped).toBeGreaterThan(500);
  });

  test('holds back no more than it must', () => {
    const random = createRandom(4);
    for (let round = 0; round < 500; round++) {
      const stop = Array.from({ length: 1 + random(5) }, () => 'ab'.charAt(random(2))).join('');
      const filter = createStopFilter([stop]);
      let given = '';
      let out = '';
      for (let index = 0; index < 20; index++) {
        const piece = 'ab'.charAt(random(2));
        given += piece;
        const result = filter.push(piece);
        out += result.text;
        if (result.stopped) break;
        const held = given.slice(out.length);
        expect(stop.startsWith(held)).toBe(true);
      }
    }
  });
});
