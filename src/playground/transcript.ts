import { type Mode, spaceBetween } from './conversation.ts';
import { make } from './dom.ts';
import { createStory, type Story } from './story.ts';

/** The conversation on the page. */
export interface Transcript {
  /** Shows what a person said, unless it is nothing, and an empty answer to it. */
  begin(prompt: string, mode: Mode): Story;
  /** Takes back what the last `begin` showed. */
  undo(): void;
  clear(): void;
}

/** A transcript inside `element`. Its style makes blocks of a chat's turns and one text of a continued one's. */
export function createTranscript(element: HTMLElement): Transcript {
  let last: HTMLElement[] = [];
  const addTurn = (who: string, className: string, text: string): HTMLElement => {
    const body = make('div', className, text);
    const turn = make('div', 'turn', make('h3', 'who', who), body);
    last.push(turn);
    element.append(turn);
    return body;
  };
  return {
    begin(prompt, mode) {
      const previous = element.querySelector('.turn:last-child > div')?.textContent ?? '';
      const space = mode === 'complete' ? spaceBetween(previous, prompt) : '';
      element.dataset.mode = mode;
      last = [];
      if (prompt) addTurn('You', 'given', space + prompt);
      return createStory(addTurn('Model', 'answer', ''));
    },
    undo() {
      for (const turn of last) turn.remove();
      last = [];
    },
    clear: () => element.replaceChildren(),
  };
}
