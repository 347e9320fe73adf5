import { make } from './dom.ts';

/** Reads an answer to a screen reader while it grows. */
export interface Speech {
  begin(): void;
  add(text: string): void;
  /** Says the rest. */
  end(): void;
}

/** A sentence's end that is followed by something, or a line's end. */
const SENTENCE = /^[\s\S]*(?:[.!?…]["'”’)]*\s|\n)/;
const PAUSE_MS = 2000;

/**
 * Speaks through `region`, a polite live region out of sight, in whole sentences and not more often than every two
 * seconds: one that grew with every token would stutter.
 */
export function createSpeech(region: HTMLElement, now: () => number = () => performance.now()): Speech {
  let pending = '';
  let spokenMs = 0;
  const speak = (text: string): void => {
    pending = pending.slice(text.length);
    spokenMs = now();
    if (text.trim()) region.append(make('p', '', text.trim()));
  };
  return {
    begin() {
      pending = '';
      region.replaceChildren();
    },
    add(text) {
      pending += text;
      const sentences = SENTENCE.exec(pending)?.[0];
      if (sentences && now() - spokenMs >= PAUSE_MS) speak(sentences);
    },
    end: () => speak(pending),
  };
}
