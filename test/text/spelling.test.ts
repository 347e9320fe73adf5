import { describe, expect, test } from 'bun:test';
import { parseSpelling } from '../../src/text/spelling.ts';

const text = (decoder: unknown, token: string, isFirst = false, isAdded = false) =>
  new TextDecoder().decode(parseSpelling(decoder).bytes(token, isAdded, isFirst));

const replace = { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' };
const sequence = (...decoders: unknown[]) => ({ type: 'Sequence', decoders });

describe('parseSpelling()', () => {
  test('ByteLevel: bytes, but an added token and one that is no spelling of bytes as they are', () => {
    const decoder = { type: 'ByteLevel' };
    expect(text(decoder, '\u0120caf\u00c3\u00a9')).toBe(' caf\u00e9');
    expect(text(decoder, '\u00c3\u00a9', false, true)).toBe('\u00c3\u00a9');
    expect(text(decoder, '<\uff5cUser\uff5c>')).toBe('<\uff5cUser\uff5c>');
  });

  test('Replace, ByteFallback, Fuse and Strip', () => {
    const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
    const decoder = sequence(replace, { type: 'ByteFallback' }, { type: 'Fuse' }, strip);
    expect(text(decoder, '\u2581a\u2581')).toBe(' a ');
    expect([...parseSpelling(decoder).bytes('<0xE4>', false, false)]).toEqual([0xe4]);
    expect(text(decoder, '<0xZZ>')).toBe('<0xZZ>');
    expect(parseSpelling(decoder).strip).toEqual({ content: ' ', count: 1 });
  });

  test('without ByteFallback a byte token is text', () => {
    expect(text(sequence(replace, { type: 'Fuse' }), '<0xE4>')).toBe('<0xE4>');
  });

  test('Metaspace: the first token loses its marker unless none was put there', () => {
    const metaspace = { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always' };
    expect(text(metaspace, '\u2581a', true)).toBe('a');
    expect(text(metaspace, '\u2581a', false)).toBe(' a');
    expect(text({ ...metaspace, prepend_scheme: 'never' }, '\u2581a', true)).toBe(' a');
    expect(text({ type: 'Metaspace', replacement: '\u2581', add_prefix_space: false }, '\u2581a', true)).toBe(
      ' a',
    );
  });

  test.each([
    ['none', null],
    ['WordPiece', { type: 'WordPiece', prefix: '##' }],
    ['BPEDecoder', { type: 'BPEDecoder', suffix: '</w>' }],
    ['a pattern that is an expression', { ...replace, pattern: { Regex: '.' } }],
    ['Replace after Fuse', sequence({ type: 'Fuse' }, replace)],
    ['a Strip of single tokens', { type: 'Strip', content: ' ', start: 1, stop: 0 }],
    ['a Strip of the end', sequence({ type: 'Fuse' }, { type: 'Strip', content: ' ', start: 0, stop: 1 })],
    ['ByteLevel with others', sequence({ type: 'ByteLevel' }, replace)],
  ])('refuses %s', (_, decoder) => {
    expect(() => parseSpelling(decoder)).toThrow(
      expect.objectContaining({ code: 'model_unsupported', param: 'decoder' }),
    );
  });
});
