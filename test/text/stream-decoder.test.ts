import { afterAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { loadTextCodec, type TextCodec } from '../../src/text/index.ts';
import { GOLDEN_MODELS, goldenDir, readGolden, STORIES_DIR } from '../golden/models.ts';
import { copyModel, patchJson, removeFolders } from '../hf/scratch.ts';
import { createRandom } from './random.ts';

afterAll(removeFolders);

function stream(
  codec: TextCodec,
  ids: readonly number[],
  after: readonly number[],
  skipSpecialTokens: boolean,
): string[] {
  const decoder = codec.streamDecoder({ after, skipSpecialTokens });
  return [...ids.map((id) => decoder.push(id)), decoder.flush()];
}

const hasLoneSurrogate = (text: string) =>
  /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);

const FOLDERS: [string, string][] = [
  ...GOLDEN_MODELS.map((name): [string, string] => [name, goldenDir(name)]),
  ['stories', STORIES_DIR],
];

describe.each(FOLDERS)('the stream decoder of %s', async (_, dir) => {
  const codec = await loadTextCodec(dir);
  const read = (file: string) => JSON.parse(readFileSync(`${dir}/${file}`, 'utf8'));
  const library = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
  const size = library.get_vocab().size;

  /** The library decodes all ids at once with code of its own. */
  const decodeWhole = (ids: number[], skipSpecialTokens: boolean) =>
    ids.length === 0
      ? ''
      : library.decode(ids, { skip_special_tokens: skipSpecialTokens, clean_up_tokenization_spaces: false });

  test.each([true, false])(
    'gives the text of random ids, broken UTF-8 included (special tokens skipped: %p)',
    (skip) => {
      const random = createRandom(7);
      let broken = 0;
      for (let round = 0; round < 400; round++) {
        const ids = Array.from({ length: random(40) }, () => random(size));
        const pieces = stream(codec, ids, [], skip);
        const whole = decodeWhole(ids, skip);
        expect(pieces.join('')).toBe(whole);
        expect(codec.decode(ids, { skipSpecialTokens: skip })).toBe(whole);
        if (pieces.some(hasLoneSurrogate)) throw new Error(`Half a character in ${JSON.stringify(pieces)}`);
        if (whole.includes('\uFFFD')) broken++;
      }
      expect(broken).toBeGreaterThan(20);
    },
  );

  test('gives after a prompt exactly what the whole text has more than the prompt', () => {
    const random = createRandom(8);
    const texts = [
      'Hello there',
      ' and  so',
      'caf\u00e9 \u{1F98A}\u{1F469}\u200D\u{1F680} \u4f60\u597d',
      '\n\n  x',
      '\u0928\u092e\u0938\u094d\u0924\u0947',
    ];
    for (let round = 0; round < 100; round++) {
      const prompt = codec.encode(texts[random(texts.length)]!);
      const next = codec.encode(texts[random(texts.length)]!, { addSpecialTokens: false });
      for (const skip of [true, false]) {
        const options = { skipSpecialTokens: skip };
        const before = codec.decode(prompt, options);
        expect(before + stream(codec, next, prompt, skip).join('')).toBe(
          codec.decode([...prompt, ...next], options),
        );
      }
    }
  });

  test('gives whole characters as soon as they are complete', () => {
    const text = '\u{1F98A}\u4f60';
    const pieces = stream(codec, codec.encode(`a ${text}`, { addSpecialTokens: false }), [], true);
    expect(pieces.at(-1)).toBe('');
    const characters = pieces.join('').slice(-text.length);
    expect(characters).toBe(text);
    expect(pieces.some((piece) => piece.includes('\uFFFD'))).toBe(false);
  });
});

describe('the stream decoder', () => {
  test('keeps the leading space of a continuation and strips that of a text', async () => {
    for (const name of ['mistral-f16', 'llama2-sharded-bf16'] as const) {
      const codec = await loadTextCodec(goldenDir(name));
      const { prompt_ids, greedy } = readGolden(name);
      const word = codec.encode('the', { addSpecialTokens: false });
      expect(stream(codec, word, prompt_ids, true).join('')).toBe(' the');
      expect(stream(codec, word, [], true).join('')).toBe('the');
      // A prompt of nothing but BOS is no text yet, if BOS is not shown.
      expect(stream(codec, word, [1], true).join('')).toBe('the');
      expect(stream(codec, word, [1], false).join('')).toBe(' the');
      const text = stream(codec, greedy, prompt_ids, false).join('');
      expect(text.replace(/^ /, '')).toBe(readGolden(name).decode);
    }
  });

  test('completes a character that the prompt began', async () => {
    const codec = await loadTextCodec(goldenDir('mistral-f16'));
    const ids = codec.encode('\u{1F98A}!');
    expect(stream(codec, ids.slice(-2), ids.slice(0, -2), true).join('')).toBe('\u{1F98A}!');
  });

  test('gives at flush() what was cut off', async () => {
    const codec = await loadTextCodec(goldenDir('qwen3-v5config'));
    const ids = codec.encode('\u{1F98A}', { addSpecialTokens: false });
    expect(stream(codec, ids.slice(0, -1), [], true)).toEqual([...ids.slice(0, -1).map(() => ''), '\uFFFD']);
  });

  test('knows the Metaspace decoder: the first token that is shown loses its marker', async () => {
    const dir = copyModel('mistral-f16');
    patchJson(dir, 'tokenizer.json', {
      decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always' },
    });
    const codec = await loadTextCodec(dir);
    const ids = codec.encode('the old fox');
    expect(codec.decode(ids)).toBe('the old fox');
    expect(codec.decode(ids, { skipSpecialTokens: false })).toBe('<s> the old fox');
    expect(stream(codec, ids.slice(1), ids, true).join('')).toBe(' the old fox');
  });

  test('keeps a generated byte order mark', async () => {
    const codec = await loadTextCodec(goldenDir('smollm2-tied'));
    expect(codec.decode(codec.encode('\uFEFFa'))).toBe('\uFEFFa');
  });

  test('costs per token what it costs at the start, however long the text is', async () => {
    const codec = await loadTextCodec(STORIES_DIR);
    const ids = codec.encode('Once upon a time, there was a little fox. ');
    const decoder = codec.streamDecoder();
    const timeOf = (tokens: number) => {
      const start = performance.now();
      for (let index = 0; index < tokens; index++) decoder.push(ids[index % ids.length]!);
      return performance.now() - start;
    };
    timeOf(20_000);
    const early = timeOf(20_000);
    timeOf(160_000);
    // Decoding the whole text again per token would make this at least five times as long.
    expect(timeOf(20_000)).toBeLessThan(3 * early + 20);
  });
});
