import { find } from './dom.ts';
import { formatMs, formatRate } from './figures.ts';
import { countTokens, type Recording, speedOf, type TimedEvent } from './recording.ts';
import { createStory } from './story.ts';

/** One of the two answers of a race on the page. */
export interface Lane {
  /** Empties it; `maxTokens` is where its bar ends. */
  begin(maxTokens: number): void;
  add(timed: TimedEvent): void;
  /** Shows its time and speed. */
  finish(recording: Recording): void;
}

/** The lane in the elements `<id>-text`, `<id>-time` and `<id>-bar`. */
export function createLane(id: string): Lane {
  const text = find(`${id}-text`, HTMLElement);
  const time = find(`${id}-time`, HTMLElement);
  const bar = find(`${id}-bar`, HTMLProgressElement);
  const story = createStory(text);
  return {
    begin(maxTokens) {
      story.clear();
      time.textContent = '–';
      bar.value = 0;
      bar.max = Math.max(1, maxTokens);
    },
    add({ event, atMs }) {
      story.add(event);
      bar.value += event.tokenIds.length;
      time.textContent = formatMs(atMs);
    },
    finish(recording) {
      bar.max = Math.max(1, countTokens(recording.end));
      bar.value = bar.max;
      time.textContent = `${formatMs(recording.totalMs)}, ${formatRate(speedOf(recording))} tokens/s`;
    },
  };
}
