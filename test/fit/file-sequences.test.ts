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

async function readParts(name: string, content: string, heldOut: number, maxTokens = 8) {
  await writeFile(join(folder, name), content);
  return readFileSequences(join(folder, name), { encoder, maxTokens, heldOut });
}

/** All sequences of the file. */
async function read(name: string, content: string) {
  const { calibration, heldOut } = await readParts(name, content, 1);
  return [...calibration, ...heldOut];
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
    await expect(
      readFileSequences(join(folder, 'none.txt'), { encoder, maxTokens: 8, heldOut: 1 }),
    ).rejects.toThrow(/none\.txt/);
  });

  const idsFile = (count: number) => Array.from({ length: count }, (_, i) => `[${i},${i}]`).join('\n');
  const firsts = (sequences: Iterable<readonly number[]>) => [...sequences].map(([first]) => first!);

  test.each([
    [2, 1],
    [3, 1],
    [7, 3],
    [11, 5],
    [12, 6],
    [13, 6],
    [40, 6],
  ])('of %p sequences the last %p are held out', async (count, held) => {
    const { calibration, heldOut } = await readParts('count.jsonl', idsFile(count), 6);
    const all = Array.from({ length: count }, (_, i) => i);
    expect(firsts(heldOut)).toEqual(all.slice(-held));
    expect(firsts(calibration)).toEqual(all.slice(0, -held));
    expect(firsts(calibration)).toEqual(all.slice(0, -held)); // it may be read again
  });

  test('a held-out count within a long entry leaves its beginning to scoring', async () => {
    const { calibration, heldOut } = await readParts('long.jsonl', '{"text":"abcdefghijkl"}', 2, 2);
    const text = (parts: Iterable<readonly number[]>) =>
      [...parts].map((ids) => String.fromCodePoint(...ids));
    expect(text(heldOut)).toEqual(['ij', 'kl']);
    expect(text(calibration)).toEqual(['ab', 'cd', 'ef', 'gh']);
  });

  test('one sequence is shared between both parts, one too short is refused', async () => {
    const { calibration, heldOut } = await readParts('one.jsonl', '[1,2,3,4,5]', 6);
    expect([[...calibration], heldOut]).toEqual([[[1, 2]], [[3, 4, 5]]]);
    await expect(readParts('short.jsonl', '[1,2,3]', 6)).rejects.toThrow(
      /one sequence of 3 tokens, needs four/,
    );
  });

  test('tokenizes only what is read and what is held out', async () => {
    let encoded = 0;
    const counting = {
      ...encoder,
      encodeText: (text: string) => {
        encoded++;
        return encoder.encodeText(text);
      },
    };
    const path = join(folder, 'large.jsonl');
    await writeFile(path, Array.from({ length: 1000 }, () => '{"text":"abcd"}').join('\n'));
    const options = { encoder: counting, maxTokens: 8, heldOut: 6 };
    const { calibration, heldOut } = await readFileSequences(path, options);
    expect([encoded, heldOut.length]).toEqual([12, 6]);
    let taken = 0;
    for (const _ of calibration) if (++taken === 64) break;
    expect(encoded).toBe(12 + 64);
  });
});
