import { expect, test } from 'bun:test';
import { joinTurns, messagesOf, spaceBetween, type Turn } from '../../src/playground/conversation.ts';

const TURNS: readonly Turn[] = [
  { role: 'user', text: 'Once' },
  { role: 'assistant', text: ' upon a time.' },
  { role: 'assistant', text: ' The end' },
  { role: 'user', text: 'of it' },
];

test.each([
  ['a', 'b', ' '],
  ['a ', 'b', ''],
  ['a', '\nb', ''],
  ['', 'b', ''],
  ['a', '', ''],
])('spaceBetween(%j, %j) is %j', (before, added, space) => {
  expect(spaceBetween(before, added)).toBe(space);
});

test('joinTurns() parts what a person adds from the text before, and never touches an answer', () => {
  expect(joinTurns(TURNS)).toBe('Once upon a time. The end of it');
  expect(joinTurns([])).toBe('');
});

test('messagesOf() makes one message of an answer that was continued', () => {
  expect(messagesOf(TURNS)).toEqual([
    { role: 'user', content: 'Once' },
    { role: 'assistant', content: ' upon a time. The end' },
    { role: 'user', content: 'of it' },
  ]);
});
