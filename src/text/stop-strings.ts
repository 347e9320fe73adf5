/** What {@linkcode StopFilter} lets through of a piece of text. */
export interface StopResult {
  /** Text that is certainly before any stop string; may be empty. */
  readonly text: string;
  /** Whether a stop string has been completed. `text` then ends before it, and nothing may be pushed any more. */
  readonly stopped: boolean;
  /** The stop string that was completed. */
  readonly stop?: string;
}

/** Text in, text without the stop string and all after it out; state of one sequence. */
export interface StopFilter {
  push(piece: string): StopResult;
  /** Text that was held back because it could have become a stop string, at the end of a sequence that did not stop. */
  flush(): string;
}

/**
 * Watches a text that comes in pieces for `stops`. The text stops where the first stop string is complete, however the
 * pieces are cut; of several that end at the same place the longest counts. No part of it ever gets out.
 * Each character is looked at once per stop string (Knuth, Morris and Pratt 1977).
 */
export function createStopFilter(stops: readonly string[]): StopFilter {
  if (stops.includes(''))
    throw new RangeError('A stop string must not be empty: it would stop every text at once.');
  // Longest first, so that the first one found complete at a place is the one that counts.
  const matchers = stops.toSorted((a, b) => b.length - a.length).map(createMatcher);
  let held = '';
  let isDone = false;

  function push(piece: string): StopResult {
    if (isDone) throw new Error('StopFilter.push() after the text has ended.');
    const before = held.length;
    held += piece;
    for (let index = before; index < held.length; index++) {
      const found = advance(matchers, held.charCodeAt(index));
      if (found === undefined) continue;
      isDone = true;
      return { text: held.slice(0, index + 1 - found.length), stopped: true, stop: found };
    }
    return { text: release(), stopped: false };
  }

  /** Lets go of all but the longest ending that begins a stop string. */
  function release(): string {
    const keep = matchers.reduce((most, matcher) => Math.max(most, matcher.matched()), 0);
    const text = held.slice(0, held.length - keep);
    held = held.slice(held.length - keep);
    return text;
  }

  function flush(): string {
    const rest = isDone ? '' : held;
    isDone = true;
    return rest;
  }

  return { push, flush };
}

/** Feeds one UTF-16 unit to every matcher; the stop string that it completes. */
function advance(matchers: readonly Matcher[], unit: number): string | undefined {
  let found: string | undefined;
  for (const matcher of matchers) {
    if (matcher.step(unit)) found ??= matcher.stop;
  }
  return found;
}

interface Matcher {
  readonly stop: string;
  /** Length of the longest beginning of `stop` that the text ends with. */
  matched(): number;
  /** Takes the next UTF-16 unit; whether it completes `stop`. */
  step(unit: number): boolean;
}

function createMatcher(stop: string): Matcher {
  const fallback = borderLengths(stop);
  let matched = 0;
  return {
    stop,
    matched: () => matched,
    step(unit) {
      while (matched > 0 && stop.charCodeAt(matched) !== unit) matched = fallback[matched - 1]!;
      if (stop.charCodeAt(matched) === unit) matched++;
      return matched === stop.length;
    },
  };
}

/** For each beginning of `text`, the length of its longest proper beginning that is also its ending. */
function borderLengths(text: string): readonly number[] {
  const lengths = [0];
  for (let index = 1; index < text.length; index++) {
    let length = lengths[index - 1]!;
    while (length > 0 && text[index] !== text[length]) length = lengths[length - 1]!;
    lengths.push(text[index] === text[length] ? length + 1 : length);
  }
  return lengths;
}
