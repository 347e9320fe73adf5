import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSequences } from '../../src/fit/file-sequences.ts';

const folder = await mkdtemp(join(tmpdir(), 'sdfp-calibration-'));
afterAll(() => rm(folder, { recursive: true }));

/** One id per character; a conversation begins with 0. */
const encoder = {
  encodeText: (text: string) => [...text].map((character) => character.codePointAt(0)!),
  encodeChat: (messages: readonly { content: string }[]) => [
    0,
    ...messages.flatMap(({ content }) => [...content].map((character) => character.codePointAt(0)!)),
  ],
};

async function read(name: string, content: string, maxTokens = 8) {
  await writeFile(join(folder, name), content);
  return readFileSequences(join(folder, name), encoder, maxTokens);
}

describe('readFileSequences()', () => {
  test('.txt: joins short paragraphs, cuts long ones, loses only a rest of one token', async () => {
    const sequences = await read('a.txt', `ab\n\ncd\r\n\r\n${'x'.repeat(47)}\n\n\n  \n\nefgh\n`);
    const text = sequences.map((ids) => String.fromCodePoint(...ids));
    expect(text[0]).toBe('ab\n\ncd');
    expect(text.slice(1, 6)).toEqual(Array.from({ length: 5 }, () => 'x'.repeat(8)));
    expect(text.at(-1)).toBe('efgh');
    for (const ids of sequences) expect(ids.length).toBeLessThanOrEqual(8);
  });

  test('.jsonl: text, messages and ids', async () => {
    const lines = ['{"text":"ab"}', '', '{"messages":[{"role":"user","content":"cd"}]}', '[5,6,7]'];
    expect(await read('b.jsonl', lines.join('\n'))).toEqual([
      [97, 98],
      [0, 99, 100],
      [5, 6, 7],
    ]);
  });

  test.each([
    ['c.jsonl', '{"text":"ab"}\n{nonsense', /c\.jsonl line 2: not JSON/],
    ['d.jsonl', '{"prompt":"ab"}', /d\.jsonl line 1: needs \{"text"/],
    ['e.jsonl', '[1,2.5]', /line 1: needs/],
    ['f.jsonl', '{"messages":[{"role":"user"}]}', /line 1: needs/],
    ['g.txt', ' \n\n a', /no sequence of at least two tokens/],
    ['h.csv', 'a,b', /needs a name in \.txt or \.jsonl/],
  ])('%s is refused: %p', async (name, content, problem) => {
    await expect(read(name, content)).rejects.toThrow(problem);
  });

  test('a missing file is refused by name', async () => {
    await expect(readFileSequences(join(folder, 'none.txt'), encoder, 8)).rejects.toThrow(/none\.txt/);
  });
});
