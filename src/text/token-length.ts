import { byteLevelBytes } from './byte-level.ts';
import { asList, asRecord, asString } from './json.ts';

type Json = Readonly<Record<string, unknown>>;

/** NFC joins up to 4 units into one: U+1F82 is a letter and 3 marks (Unicode's FAQ on normalization, expansion factors). */
const COMPOSED_UNITS = 4;

/**
 * The most UTF-16 units of text that one token stands for, so that a text of n units has at least n / that many tokens.
 * `tokenizer`: tokenizer.json. Undefined where it may drop text (strips spaces, has one token for unknown words), so that
 * the length of a text says nothing about its tokens.
 */
export function findMaxUnitsPerToken(tokenizer: Json): number | undefined {
  const model = asRecord(tokenizer.model) ?? {};
  const added = asList(tokenizer.added_tokens).map((token) => asRecord(token) ?? {});
  const normalizers = steps(tokenizer.normalizer, 'normalizers');
  const keepsAll =
    model.type === 'BPE' &&
    (tokenizer.truncation ?? null) === null &&
    !added.some(({ lstrip, rstrip }) => lstrip === true || rstrip === true) &&
    normalizers.every(isLengthKept) &&
    steps(tokenizer.pre_tokenizer, 'pretokenizers').every(isSplitOnly);
  const words = Object.keys(asRecord(model.vocab) ?? {});
  if (!keepsAll || !spellsEveryByte(words, model)) return undefined;
  // A byte-level word has a character per byte, and no UTF-16 unit is less than a byte of UTF-8.
  const longest = [...words, ...added.map(({ content }) => asString(content) ?? '')].reduce(
    (units, word) => Math.max(units, word.length),
    1,
  );
  return normalizers.some(({ type }) => type === 'NFC') ? longest * COMPOSED_UNITS : longest;
}

function steps(step: unknown, list: 'normalizers' | 'pretokenizers'): readonly Json[] {
  const record = asRecord(step);
  if (record === undefined) return [];
  return record.type === 'Sequence' ? asList(record[list]).flatMap((each) => steps(each, list)) : [record];
}

function isLengthKept({ type, pattern, content }: Json): boolean {
  if (type !== 'Replace') return type === 'NFC' || type === 'Prepend';
  const replaced = asString(asRecord(pattern)?.String);
  return replaced !== undefined && (asString(content) ?? '').length >= replaced.length;
}

function isSplitOnly({ type, behavior }: Json): boolean {
  if (type === 'Split') return behavior !== 'Removed';
  return type === 'ByteLevel' || type === 'Digits' || type === 'Metaspace';
}

/** Otherwise unknown characters come to nothing, or many of them to one token. */
function spellsEveryByte(words: readonly string[], { byte_fallback: hasByteTokens }: Json): boolean {
  const bytes = words.filter((word) =>
    hasByteTokens === true ? /^<0x[0-9A-F]{2}>$/.test(word) : byteLevelBytes(word)?.length === 1,
  );
  return bytes.length === 256;
}
