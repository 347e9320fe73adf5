import type { TextEvent, TokenOrigin } from '../client/index.ts';

/** The text on the page, one span per run of tokens of one origin. */
export interface Story {
  /** Empties it and shows the text that was given, if the answer continues it. */
  begin(given: string): void;
  add(event: TextEvent): void;
  /** Whether no token's text has come yet. */
  isEmpty(): boolean;
}

/** Origin of an event: a guess only if every token is one, as a character may span tokens of several origins. */
function originOf({ origins }: TextEvent, previous: TokenOrigin | undefined): TokenOrigin {
  // Text that was held back and comes at the end brings no tokens of its own.
  if (origins.length === 0) return previous ?? 'target';
  if (origins.includes('target')) return 'target';
  return origins.includes('draft') ? 'draft' : 'lookup';
}

/** A story inside `element`. */
export function createStory(element: HTMLElement): Story {
  let end: { origin: TokenOrigin; node: Text } | undefined;
  const startSpan = (className: string, text: string): Text => {
    // The space before a run stays outside, or it would be underlined.
    const space = /^\s*/.exec(text)?.[0] ?? '';
    const node = new Text(text.slice(space.length));
    const span = document.createElement('span');
    span.className = className;
    span.append(node);
    element.append(space, span);
    return node;
  };
  return {
    begin(given) {
      element.replaceChildren();
      end = undefined;
      if (given) startSpan('given', given);
    },
    add(event) {
      const origin = originOf(event, end?.origin);
      if (end?.origin === origin) end.node.appendData(event.text);
      else if (event.text) end = { origin, node: startSpan(`token ${origin}`, event.text) };
    },
    isEmpty: () => end === undefined,
  };
}
