import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTextCodec } from '../../src/text/index.ts';
import { GOLDEN_MODELS, goldenDir, readGolden, STORIES_DIR } from '../golden/models.ts';
import { copyModel, emptyFolder, failureOf, LFS_POINTER, removeFolders } from '../hf/scratch.ts';

afterAll(removeFolders);

describe.each([...GOLDEN_MODELS])('the codec of %s', async (name) => {
  const codec = await loadTextCodec(goldenDir(name));
  const golden = readGolden(name);

  test.each(golden.tokenizer_cases.map((entry) => [JSON.stringify(entry.text), entry] as const))(
    'encodes and decodes %s as tokenizers does',
    (_, { text, ids, decoded, decoded_skip_special }) => {
      expect(codec.encode(text)).toEqual([...ids]);
      expect(codec.decode(ids, { skipSpecialTokens: false })).toBe(decoded);
      expect(codec.decode(ids)).toBe(decoded_skip_special);
    },
  );

  test('encodes the prompt and decodes the generated text', () => {
    expect(codec.encode(golden.prompt)).toEqual([...golden.prompt_ids]);
    expect(codec.decode(golden.greedy, { skipSpecialTokens: false })).toBe(golden.decode);
  });

  test('encodes the calibration texts', () => {
    for (const { text, ids } of golden.fisher.sequences) expect(codec.encode(text)).toEqual([...ids]);
  });

  test('renders and encodes the conversations', () => {
    expect(codec.hasChatTemplate).toBe(golden.chat !== undefined);
    for (const { messages, text, ids } of golden.chat ?? []) {
      expect(codec.renderChat(messages)).toBe(text);
      expect(codec.encode(text, { addSpecialTokens: false })).toEqual([...ids]);
    }
  });

  test('gives the bytes of every token', () => {
    const { prompt_ids } = golden;
    const bytes = prompt_ids.flatMap((id) => [...codec.tokenBytes(id)]);
    const whole = codec.decode(prompt_ids, { skipSpecialTokens: false });
    expect(new TextDecoder().decode(Uint8Array.from(bytes)).replace(/^(<s>)? /, '$1')).toBe(
      whole.replace(/^(<s>)? /, '$1'),
    );
    for (const id of prompt_ids) expect(codec.tokenText(id)).not.toBe('');
  });
});

describe('tokenBytes()', () => {
  test('of a part of a character is that part', async () => {
    const bytes = await loadTextCodec(goldenDir('mistral-f16'));
    const id = bytes.encode('\u{1F98A}', { addSpecialTokens: false }).at(-1)!;
    expect(bytes.tokenText(id)).toBe('<0x8A>');
    expect([...bytes.tokenBytes(id)]).toEqual([0x8a]);
    const byteLevel = await loadTextCodec(goldenDir('qwen3-v5config'));
    const ids = byteLevel.encode('\u{1F98A}', { addSpecialTokens: false });
    expect(ids.flatMap((part) => [...byteLevel.tokenBytes(part)])).toEqual([0xf0, 0x9f, 0xa6, 0x8a]);
  });

  test('of a word in the middle of a text has its space', async () => {
    const codec = await loadTextCodec(goldenDir('llama2-sharded-bf16'));
    const id = codec.encode('the the', { addSpecialTokens: false }).at(-1)!;
    expect(new TextDecoder().decode(codec.tokenBytes(id))).toBe(codec.tokenText(id).replace('\u2581', ' '));
  });

  test('of a padding row is empty', async () => {
    const codec = await loadTextCodec(goldenDir('qwen2-tied'));
    expect(codec.tokenBytes(423)).toEqual(new Uint8Array());
    expect(codec.tokenText(423)).toBe('');
    expect(codec.decode([423, -1, 1e9])).toBe('');
  });
});

describe('loadTextCodec()', () => {
  test('loads the stories model with its template', async () => {
    const codec = await loadTextCodec(STORIES_DIR);
    const text = codec.renderChat([{ role: 'user', content: 'Tell me a story.' }]);
    expect(text).toBe('<|im_start|>user\nTell me a story.<|im_end|>\n<|im_start|>assistant\n');
    const ids = codec.encode(text, { addSpecialTokens: false });
    expect(ids[0]).toBe(1);
    expect(codec.decode(ids, { skipSpecialTokens: false })).toBe(text);
  });

  test('needs tokenizer.json only', async () => {
    const dir = copyModel('smollm2-tied');
    rmSync(join(dir, 'tokenizer_config.json'));
    const codec = await loadTextCodec(dir);
    expect(codec.hasChatTemplate).toBe(false);
    expect(codec.encode(readGolden('smollm2-tied').prompt)).toEqual([
      ...readGolden('smollm2-tied').prompt_ids,
    ]);
  });

  test.each([
    ['missing', undefined, 'tokenizer.json'],
    ['no JSON', '{"model":', 'it is not JSON, or is cut off'],
    ['an empty file', '', 'it is empty'],
    ['a Git LFS pointer', LFS_POINTER, 'is a Git LFS pointer, not the file itself; run git lfs pull'],
    ['no object', '[]', 'JSON object'],
    ['without a model', '{"version": "1.0"}', 'tokenizer.json'],
    [
      'of an unknown model',
      '{"model":{"type":"X"},"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null,"added_tokens":[]}',
      'tokenizer.json',
    ],
    [
      'without added_tokens',
      '{"model":{"type":"BPE","vocab":{},"merges":[]},"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null}',
      'tokenizer.json',
    ],
  ])('refuses a tokenizer.json that is %s', async (_, contents, message) => {
    const dir = emptyFolder();
    if (contents !== undefined) writeFileSync(join(dir, 'tokenizer.json'), contents);
    expect(await failureOf(loadTextCodec(dir))).toMatchObject({
      code: 'model_unreadable',
      message: expect.stringContaining(message),
    });
  });

  test('refuses a malformed tokenizer_config.json and a template that cannot be read or parsed', async () => {
    const dir = copyModel('smollm2-tied');
    writeFileSync(join(dir, 'chat_template.jinja'), '{% for x in %}');
    expect(await failureOf(loadTextCodec(dir))).toMatchObject({
      code: 'model_unreadable',
      param: 'chat_template',
    });
    rmSync(join(dir, 'chat_template.jinja'));
    mkdirSync(join(dir, 'chat_template.jinja'));
    expect(await failureOf(loadTextCodec(dir))).toMatchObject({ code: 'model_unreadable' });
    writeFileSync(join(dir, 'tokenizer_config.json'), 'null');
    expect(await failureOf(loadTextCodec(dir))).toMatchObject({ code: 'model_unreadable' });
  });
});

test('renderChat() without a template says what to do instead', async () => {
  const codec = await loadTextCodec(goldenDir('mistral-f16'));
  expect(() => codec.renderChat([{ role: 'user', content: 'x' }])).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('/v1/completions') }),
  );
});
