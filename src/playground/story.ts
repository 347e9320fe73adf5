import type { TextEvent, TokenOrigin } from '../client/index.ts';
import { make } from './dom.ts';

/** An answer on the page, one span per run of tokens of one origin. */
export interface Story {
  add(event: TextEvent): void;
  clear(): void;
}

/** Origin of an event: a guess only if every token is one, as a character may span tokens of several origins. */
function originOf({ origins }: TextEvent, previous: TokenOrigin | undefined): TokenOrigin {
  // Text that was held back and comes at the end brings no tokens of its own.
  if (origins.length === 0) return previous ?? 'target';
  if (origins.includes('target')) return 'target';
  return origins.includes('draft') ? 'draft' : 'lookup';
}

/** An empty story inside `element`. */
export function createStory(element: HTMLElement): Story {
  let end: { origin: TokenOrigin; node: Text } | undefined;
  const startSpan = (className: string, text: string): Text => {
    // The space before a run stays outside, or it would be underlined.
    const space = /^\s*/.exec(text)?.[0] ?? '';
    const node = new Text(text.slice(space.length));
    element.append(space, make('span', className, node));
    return node;
  };
  return {
    add(event) {
      const origin = originOf(event, end?.origin);
      if (end?.origin === origin) end.node.appendData(event.text);
      else if (event.text) end = { origin, node: startSpan(`token ${origin}`, event.text) };
    },
    clear() {
      element.replaceChildren();
      end = undefined;
    },
  };
}
