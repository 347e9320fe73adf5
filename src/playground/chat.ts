/** The chat: turns, requests of them, and what comes back. */
import type { EndEvent } from '../client/index.ts';
import type { Turn } from './conversation.ts';
import { find, say } from './dom.ts';
import { showAcceptance, showFigures } from './figures.ts';
import { createMeter } from './meter.ts';
import type { Settings } from './settings.ts';
import { createSpeech } from './speech.ts';
import type { Story } from './story.ts';
import { createTranscript } from './transcript.ts';

export interface Chat {
  readonly turns: readonly Turn[];
  /**
   * Sends the conversation with `prompt` at its end and shows the answer. What came before a failure stays; where
   * nothing came, neither does the prompt. Errors: those of the client.
   */
  run(prompt: string, signal: AbortSignal): Promise<void>;
  /** Begins a new conversation. */
  clear(): void;
}

/** The chat of the page. */
export function createChat(settings: Settings): Chat {
  const element = find('story', HTMLDivElement);
  const transcript = createTranscript(element);
  const legend = find('legend', HTMLElement); // stands right below the text
  const speech = createSpeech(find('spoken', HTMLElement));
  let turns: readonly Turn[] = [];

  /** Shows events as they come. */
  async function show(
    events: ReturnType<Settings['send']>,
    story: Story,
    onText: (text: string) => void,
  ): Promise<void> {
    const meter = createMeter(performance.now());
    for await (const event of events) {
      if (event.type === 'end') return showEnd(event);
      meter.add(event, performance.now());
      onText(event.text);
      const isAtEnd = legend.getBoundingClientRect().top < innerHeight;
      story.add(event);
      speech.add(event.text);
      showFigures(meter.read());
      // Who has scrolled away reads in peace.
      if (isAtEnd) legend.scrollIntoView({ block: 'nearest' });
    }
  }

  return {
    get turns() {
      return turns;
    },
    async run(prompt, signal) {
      const asked: readonly Turn[] = prompt ? [...turns, { role: 'user', text: prompt }] : turns;
      const story = transcript.begin(prompt, settings.mode);
      let text = '';
      let isOver = false;
      element.ariaBusy = 'true';
      find('answer', HTMLElement).hidden = false;
      legend.scrollIntoView({ block: 'nearest' });
      speech.begin();
      showFigures();
      say('progress', 'Writing…');
      try {
        await show(settings.send(asked, settings.params, signal), story, (part) => {
          text += part;
        });
        isOver = true;
      } finally {
        if (isOver || text) turns = [...asked, { role: 'assistant', text }];
        else transcript.undo();
        find('answer', HTMLElement).hidden = turns.length === 0;
        element.ariaBusy = 'false';
        speech.end();
      }
    },
    clear() {
      turns = [];
      transcript.clear();
      speech.begin();
      showFigures();
      find('answer', HTMLElement).hidden = true;
      say('progress', 'A new chat.');
    },
  };
}

function showEnd(end: EndEvent): void {
  showAcceptance(end);
  const why = end.finishReason === 'length' ? 'stopped at max tokens' : 'finished';
  say('progress', `The text ${why} after ${end.usage?.completion_tokens ?? 'some'} tokens.`);
}
