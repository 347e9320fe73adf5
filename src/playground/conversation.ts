import type { ChatMessage } from '../client/index.ts';

/** Something that was said or written. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

/** How a request puts the turns: as messages, or, for models without a chat template, as one text to be continued. */
export type Mode = 'chat' | 'complete';

/** What goes between a text and what a person adds to it, so that words do not run together. */
export function spaceBetween(before: string, added: string): string {
  return before && added && !/\s$/.test(before) && !/^\s/.test(added) ? ' ' : '';
}

/** The turns as one text. */
export function joinTurns(turns: readonly Turn[]): string {
  return turns.reduce(
    (text, turn) => text + (turn.role === 'user' ? spaceBetween(text, turn.text) : '') + turn.text,
    '',
  );
}

/** The turns as messages; an answer that was continued is one message. */
export function messagesOf(turns: readonly Turn[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  for (const { role, text } of turns) {
    const last = messages.at(-1);
    if (last?.role === role) messages[messages.length - 1] = { role, content: last.content + text };
    else messages.push({ role, content: text });
  }
  return messages;
}
