import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { loadTextCodec } from '../../src/text/index.ts';
import { findMaxUnitsPerToken } from '../../src/text/token-length.ts';
import { STORIES_DIR } from '../fakes/baked-artifact.ts';

const json = await Bun.file(join(STORIES_DIR, 'tokenizer.json')).json();
const LONGEST = Math.max(...Object.keys(json.model.vocab).map((word) => word.length));

describe('findMaxUnitsPerToken()', () => {
  test('is the longest token, added ones included, and the codec says it', async () => {
    const longestAdded = Math.max(
      ...json.added_tokens.map(({ content }: { content: string }) => content.length),
    );
    const longest = Math.max(LONGEST, longestAdded);
    expect(findMaxUnitsPerToken(json)).toBe(longest);
    const codec = await loadTextCodec(STORIES_DIR);
    expect(codec.maxUnitsPerToken).toBe(longest);
    const words = Object.keys(json.model.vocab).filter((word) => /^[a-z]+$/i.test(word));
    for (const text of [words.join(''), ' '.repeat(999), '😀é\ud800'.repeat(50), '\n\t'.repeat(99)])
      expect(codec.encode(text).length * longest).toBeGreaterThanOrEqual(text.length);
  });

  test('composed characters count as all their parts', () => {
    const normalizer = { type: 'Sequence', normalizers: [{ type: 'NFC' }] };
    expect(findMaxUnitsPerToken({ ...json, normalizer })).toBe(4 * findMaxUnitsPerToken(json)!);
    expect('\u1f82'.normalize('NFD')).toHaveLength(4);
  });

  test('a vocabulary with a token for every byte', () => {
    const bytes = Array.from(
      { length: 256 },
      (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    );
    const vocab = Object.fromEntries([...bytes, '\u2581once'].map((word, id) => [word, id]));
    const model = { type: 'BPE', byte_fallback: true, vocab };
    const normalizers = [
      { type: 'Prepend', prepend: '\u2581' },
      { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
    ];
    const tokenizer = { model, normalizer: { type: 'Sequence', normalizers } };
    expect(findMaxUnitsPerToken(tokenizer)).toBe(6);
    expect(findMaxUnitsPerToken({ ...tokenizer, model: { ...model, byte_fallback: false } })).toBeUndefined();
  });

  test.each([
    ['words it does not know', { model: { ...json.model, type: 'WordPiece' } }],
    ['spaces around the text', { normalizer: { type: 'Strip' } }],
    ['runs of spaces', { normalizer: { type: 'Replace', pattern: { String: '  ' }, content: ' ' } }],
    ['matches of a pattern', { normalizer: { type: 'Replace', pattern: { Regex: ' +' }, content: ' ' } }],
    ['what it splits at', { pre_tokenizer: { type: 'Split', behavior: 'Removed' } }],
    ['spaces between words', { pre_tokenizer: { type: 'Whitespace' } }],
    ['spaces around a token', { added_tokens: [{ content: '<s>', rstrip: true }] }],
    ['the end of a long text', { truncation: { max_length: 5 } }],
    ['bytes that it has no token for', { model: { ...json.model, vocab: { a: 0, b: 1 } } }],
  ])('is unknown where the tokenizer drops %s', (_, change) => {
    expect(findMaxUnitsPerToken({ ...json, ...change })).toBeUndefined();
  });
});
