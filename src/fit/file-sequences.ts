import { readFile } from 'node:fs/promises';
import { SdfpError } from '../lib/errors.ts';
import { explainSystemError } from '../lib/system-error.ts';

/** A message of a conversation in a calibration file. */
export interface CalibrationMessage {
  readonly role: string;
  readonly content: string;
}

/** Text to ids, special tokens included as the model expects them. */
export interface CalibrationEncoder {
  encodeText(text: string): readonly number[];
  encodeChat(messages: readonly CalibrationMessage[]): readonly number[];
}

type Entry =
  | { readonly text: string }
  | { readonly messages: readonly CalibrationMessage[] }
  | { readonly ids: readonly number[] };

/** More characters than a token has in nearly any text, so that a chunk fills its sequence. */
const charactersPerToken = 6;

/** Options of {@linkcode readFileSequences}. */
export interface FileSequencesOptions {
  readonly encoder: CalibrationEncoder;
  /** Most tokens of a sequence. */
  readonly maxTokens: number;
  /** Sequences held out at the end of the file; of a short file, half of what there is. */
  readonly heldOut: number;
}

/** A file's text in two parts that share no token. */
export interface FileSequences {
  /** To score on, from the start of the file. Tokenized while it is iterated, as scoring stops long before a large file ends. */
  readonly calibration: Iterable<readonly number[]>;
  /** One or more. */
  readonly heldOut: readonly (readonly number[])[];
}

/**
 * Sequences of a user's calibration file, in its order, of 2 to `maxTokens` tokens.
 * - `.txt`: paragraphs (separated by blank lines), neighbours joined until a sequence is full
 * - `.jsonl`: per line `{"text": ...}`, `{"messages": [{"role", "content"}, ...]}` or `[ids]`
 * A file of one sequence gives half of it to each part.
 */
export async function readFileSequences(
  path: string,
  { encoder, maxTokens, heldOut }: FileSequencesOptions,
): Promise<FileSequences> {
  const content = await readText(path);
  const entries = path.endsWith('.jsonl')
    ? parseLines(content, path)
    : joinParagraphs(content, maxTokens * charactersPerToken).map((text) => ({ text }));
  const toSequences = (entry: Entry) => chunk(encode(entry, encoder), maxTokens);
  // Twice as many as are held out: with fewer in the whole file, half of them stay for scoring.
  let end: (readonly number[])[] = [];
  while (entries.length > 0 && end.length < 2 * heldOut) end = [...toSequences(entries.pop()!), ...end];
  if (end.length === 1) end = halve(end[0]!, path);
  if (end.length === 0) throw refuse(`${path}: found no sequence of at least two tokens`);
  const held = Math.min(heldOut, Math.floor(end.length / 2));
  return {
    calibration: {
      *[Symbol.iterator]() {
        for (const entry of entries) yield* toSequences(entry);
        yield* end.slice(0, -held);
      },
    },
    heldOut: end.slice(-held),
  };
}

function halve(ids: readonly number[], path: string): (readonly number[])[] {
  const half = ids.length >> 1;
  if (half >= 2) return [ids.slice(0, half), ids.slice(half)];
  throw refuse(
    `${path}: found one sequence of ${ids.length} tokens, needs four or more: one half is scored, the other held out`,
  );
}

async function readText(path: string): Promise<string> {
  if (!path.endsWith('.txt') && !path.endsWith('.jsonl'))
    throw refuse(`${path}: needs a name in .txt or .jsonl`);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw refuse(`${path}: ${explainSystemError(cause)}`, cause);
  }
}

function joinParagraphs(content: string, maxCharacters: number): string[] {
  const joined: string[] = [];
  for (const paragraph of content.split(/\r?\n[ \t]*\r?\n/)) {
    const text = paragraph.trim();
    const previous = joined.at(-1);
    if (text === '') continue;
    if (previous !== undefined && previous.length + text.length < maxCharacters) {
      joined[joined.length - 1] = `${previous}\n\n${text}`;
    } else joined.push(text);
  }
  return joined;
}

function parseLines(content: string, path: string): Entry[] {
  return content
    .split('\n')
    .map((line, index) => ({ line, place: `${path} line ${index + 1}` }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, place }) => parseEntry(parseJson(line, place), place));
}

function parseJson(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw refuse(`${place}: not JSON`, cause);
  }
}

function parseEntry(value: unknown, place: string): Entry {
  if (Array.isArray(value) && value.every(isTokenId)) return { ids: value };
  if (isRecord(value) && typeof value.text === 'string') return { text: value.text };
  if (isRecord(value) && Array.isArray(value.messages) && value.messages.every(isMessage)) {
    return { messages: value.messages };
  }
  throw refuse(`${place}: needs {"text": "..."}, {"messages": [{"role", "content"}]} or [ids]`);
}

function encode(entry: Entry, encoder: CalibrationEncoder): readonly number[] {
  if ('ids' in entry) return entry.ids;
  return 'text' in entry ? encoder.encodeText(entry.text) : encoder.encodeChat(entry.messages);
}

/** Pieces of `maxTokens`; a rest that predicts nothing (one token) is left out. */
function chunk(ids: readonly number[], maxTokens: number): (readonly number[])[] {
  const pieces: (readonly number[])[] = [];
  for (let from = 0; from + 1 < ids.length; from += maxTokens) pieces.push(ids.slice(from, from + maxTokens));
  return pieces;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMessage(value: unknown): value is CalibrationMessage {
  return isRecord(value) && typeof value.role === 'string' && typeof value.content === 'string';
}

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}

function refuse(problem: string, cause?: unknown): SdfpError {
  return new SdfpError('invalid_request', `reading calibration text: ${problem}`, {
    param: 'calibration',
    cause,
  });
}
