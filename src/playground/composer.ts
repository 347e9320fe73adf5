import type { Mode } from './conversation.ts';
import { find, say } from './dom.ts';
import type { ViewName } from './views.ts';

/** What the form depends on. */
export interface ComposerState {
  readonly view: ViewName;
  readonly mode: Mode;
  readonly hasTurns: boolean;
  readonly isRunning: boolean;
  readonly isReady: boolean;
}

/** The form with prompt and buttons. */
export interface Composer {
  prompt: string;
  /** Puts an example of the mode into the box. */
  showSample(mode: Mode): void;
  show(state: ComposerState): void;
}

const SAMPLES: Readonly<Record<Mode, string>> = {
  chat: 'Tell me a story about a little fox.',
  complete: 'Once upon a time, there was a little fox who',
};

/** `onSubmit`: by Enter or the button. */
export function createComposer(onSubmit: () => void): Composer {
  const form = find('form', HTMLFormElement);
  const prompt = find('prompt', HTMLTextAreaElement);
  const write = find('write', HTMLButtonElement);
  const stop = find('stop', HTMLButtonElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    onSubmit();
  });
  prompt.addEventListener('keydown', (event) => {
    // Enter may also confirm a word of an input method; that one belongs to the method.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  return {
    showSample(mode) {
      prompt.value = SAMPLES[mode];
    },
    get prompt() {
      return prompt.value;
    },
    set prompt(text) {
      prompt.value = text;
    },
    show(state) {
      const { view, hasTurns, isRunning } = state;
      const focused = document.activeElement;
      const slot = view === 'race' ? 'race-form' : 'chat-form';
      const isMoved = form.parentElement?.id !== slot;
      if (isMoved) find(slot, HTMLElement).append(form);
      stop.hidden = !isRunning;
      write.hidden = isRunning;
      write.ariaDisabled = String(!state.isReady);
      say('write', view === 'race' ? 'Race' : state.mode === 'chat' ? 'Send' : 'Write on');
      say('prompt-label', labelOf(state));
      // An example that nobody has changed follows the mode.
      if (Object.values(SAMPLES).includes(prompt.value)) prompt.value = SAMPLES[state.mode];
      find('new-chat', HTMLButtonElement).hidden = view === 'race' || isRunning || !hasTurns;
      // The keyboard's focus goes along with the buttons, and stays in a form that has moved.
      if (focused === write || focused === stop) (isRunning ? stop : write).focus();
      else if (isMoved && focused instanceof HTMLElement && form.contains(focused)) focused.focus();
    },
  };
}

function labelOf({ view, mode, hasTurns }: ComposerState): string {
  if (mode === 'chat') return view === 'race' ? 'Message of the race' : 'Your message';
  return view === 'race' || !hasTurns ? 'How does it begin?' : 'How does it go on?';
}
