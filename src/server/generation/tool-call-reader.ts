import type { ToolCallForm } from '../../text/types.ts';

/** What an answer with tools is made of, in order. */
export type AnswerPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly index: number; readonly name: string }
  | { readonly type: 'arguments'; readonly index: number; readonly text: string };

/** Takes an answer apart while it comes. */
export interface ToolCallReader {
  push(text: string): readonly AnswerPart[];
  /** What was held back because it could have become a call. */
  flush(): readonly AnswerPart[];
  /** Calls so far. */
  readonly calls: number;
}

/** Longest beginning of a call before its arguments; what is longer is text that only looks like one. */
const MAX_HEAD = 400;

type ReaderState = 'text' | 'head' | 'arguments' | 'tail' | 'plain';

/** `names`: functions that may be called; a call of any other is text. */
export function createToolCallReader(form: ToolCallForm, names: readonly string[]): ToolCallReader {
  let state: ReaderState = 'text';
  let held = '';
  let calls = 0;
  let isInText = false;
  let scanner = createJsonScanner();
  const step: Record<ReaderState, (out: AnswerPart[]) => boolean> = {
    text: readText,
    head: readHead,
    arguments: readArguments,
    tail: readTail,
    plain(out) {
      emitText(out, held);
      held = '';
      return false;
    },
  };
  return {
    push(text) {
      held += text;
      const out: AnswerPart[] = [];
      while (held !== '' && step[state](out));
      return out;
    },
    flush() {
      const out: AnswerPart[] = [];
      if (state === 'head') emitText(out, form.open + held);
      else if (state === 'text' && held.trim() !== '') emitText(out, held);
      held = '';
      return out;
    },
    get calls() {
      return calls;
    },
  };

  /** Each step: whether another one may follow at once. */
  function readText(out: AnswerPart[]): boolean {
    if (form.open === '') return readBareStart();
    const start = held.indexOf(form.open);
    const end = start < 0 ? held.length - partialEnd(held, form.open) : start;
    const before = held.slice(0, end);
    // Space around calls is layout, no text.
    if (before.trim() !== '' || (isInText && start < 0)) {
      emitText(out, before);
      held = held.slice(end);
    }
    if (start < 0) return false;
    held = held.slice(held.indexOf(form.open) + form.open.length);
    state = 'head';
    return true;
  }

  function readBareStart(): boolean {
    const first = held.trimStart()[0];
    if (first === undefined) return false;
    state = first === '{' ? 'head' : 'plain';
    return true;
  }

  function readHead(out: AnswerPart[]): boolean {
    const head = new RegExp(
      `^\\s*\\{\\s*"name"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")\\s*,\\s*"${form.argumentsKey}"\\s*:\\s*(?=\\{)`,
    ).exec(held);
    if (head === null) {
      if (held.length > MAX_HEAD) giveUp(out);
      return held.length > MAX_HEAD;
    }
    const name = parseName(head[1] ?? '');
    if (name === undefined || !names.includes(name)) giveUp(out);
    else {
      out.push({ type: 'call', index: calls++, name });
      held = held.slice(head[0].length);
      scanner = createJsonScanner();
      state = 'arguments';
    }
    return true;
  }

  function giveUp(out: AnswerPart[]): void {
    emitText(out, form.open);
    state = 'plain';
  }

  function readArguments(out: AnswerPart[]): boolean {
    const length = scanner.read(held);
    out.push({ type: 'arguments', index: calls - 1, text: held.slice(0, length) });
    held = held.slice(length);
    if (scanner.isComplete) state = 'tail';
    return scanner.isComplete;
  }

  function readTail(): boolean {
    const end = form.close === '' ? -1 : held.indexOf(form.close);
    if (end < 0) return false;
    held = held.slice(end + form.close.length);
    isInText = false;
    state = 'text';
    return true;
  }

  function emitText(out: AnswerPart[], text: string): void {
    if (text === '') return;
    isInText = true;
    out.push({ type: 'text', text });
  }
}

/** Length of the longest ending of `text` that begins `marker`. */
function partialEnd(text: string, marker: string): number {
  for (let length = Math.min(text.length, marker.length - 1); length > 0; length--) {
    if (marker.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}

function parseName(json: string): string | undefined {
  try {
    return String(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** Finds the end of one JSON object. */
function createJsonScanner(): { read(text: string): number; readonly isComplete: boolean } {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let isComplete = false;
  const take = (character: string): void => {
    if (isEscaped) isEscaped = false;
    else if (isInString && character === '\\') isEscaped = true;
    else if (character === '"') isInString = !isInString;
    else if (!isInString && '{['.includes(character)) depth++;
    else if (!isInString && '}]'.includes(character)) depth--;
    isComplete = depth === 0;
  };
  return {
    read(text) {
      let length = 0;
      while (length < text.length && !isComplete) take(text[length++]!);
      return length;
    },
    get isComplete() {
      return isComplete;
    },
  };
}
