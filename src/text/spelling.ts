import { SdfpError } from '../lib/errors.ts';
import { byteLevelBytes } from './byte-level.ts';
import { asList, asRecord, asString } from './json.ts';

/** How the tokens of a vocabulary spell text: what the `decoder` of a tokenizer.json says, seen from one token. */
export interface Spelling {
  /** Bytes that a token stands for. `isAdded`: it stands in `added_tokens`. `isFirst`: no token comes before it. */
  bytes(token: string, isAdded: boolean, isFirst: boolean): Uint8Array;
  /** Characters that are taken off the start of a text: up to `count` times `content`. */
  readonly strip: { readonly content: string; readonly count: number };
}

const NO_STRIP = { content: '', count: 0 } as const;
const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;

type Rewrite = (token: string, isFirst: boolean) => string;

/**
 * Reads the `decoder` of a tokenizer.json. Known are ByteLevel, and the SentencePiece-like steps Replace, Metaspace,
 * ByteFallback, Fuse and Strip (a start of the whole text). These are all that language models of our families use;
 * the others (WordPiece, CTC, BPEDecoder) are refused, since their text depends on tokens that are yet to come.
 */
export function parseSpelling(decoder: unknown): Spelling {
  const steps = flatten(decoder);
  if (steps.some((step) => step.type === 'ByteLevel')) return byteLevelSpelling(steps);
  const encoder = new TextEncoder();
  const rewrites: Rewrite[] = [];
  let hasByteFallback = false;
  let isFused = false;
  let strip: Spelling['strip'] = NO_STRIP;
  for (const step of steps) {
    if (step.type === 'ByteFallback') hasByteFallback = true;
    else if (step.type === 'Fuse') isFused = true;
    else if (step.type === 'Strip' && isFused) strip = parseStrip(step);
    else if (isFused) throw unsupported(step, 'only Strip may come after Fuse');
    else rewrites.push(parseRewrite(step));
  }
  return {
    strip,
    bytes(token, _isAdded, isFirst) {
      const byte = hasByteFallback ? BYTE_TOKEN.exec(token)?.[1] : undefined;
      if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
      return encoder.encode(rewrites.reduce((text, rewrite) => rewrite(text, isFirst), token));
    },
  };
}

function byteLevelSpelling(steps: readonly Readonly<Record<string, unknown>>[]): Spelling {
  const other = steps.find((step) => step.type !== 'ByteLevel' && step.type !== 'Fuse');
  if (other !== undefined) throw unsupported(other, 'ByteLevel may stand only alone or with Fuse');
  const encoder = new TextEncoder();
  return {
    strip: NO_STRIP,
    // A token that is no byte-level spelling means its own characters, as in tokenizers (ByteLevel::decode_chain).
    bytes: (token, isAdded) => (isAdded ? undefined : byteLevelBytes(token)) ?? encoder.encode(token),
  };
}

function parseRewrite(step: Readonly<Record<string, unknown>>): Rewrite {
  if (step.type === 'Replace') {
    const pattern = asString(asRecord(step.pattern)?.String);
    if (pattern === undefined) throw unsupported(step, 'a Replace needs a pattern of kind String');
    const content = asString(step.content) ?? '';
    return (token) => token.replaceAll(pattern, () => content);
  }
  if (step.type === 'Metaspace') {
    const replacement = asString(step.replacement) ?? '\u2581';
    // The space that the pre-tokenizer put before the text goes with every marker of the first token.
    const strips = step.prepend_scheme !== 'never' && step.add_prefix_space !== false;
    return (token, isFirst) => token.replaceAll(replacement, isFirst && strips ? '' : ' ');
  }
  throw unsupported(step, 'known are ByteLevel, Replace, Metaspace, ByteFallback, Fuse and Strip');
}

function parseStrip(step: Readonly<Record<string, unknown>>): Spelling['strip'] {
  const content = asString(step.content);
  const { start, stop } = step;
  if (content === undefined || typeof start !== 'number' || stop !== 0) {
    throw unsupported(step, 'a Strip may take characters off the start only');
  }
  return { content, count: start };
}

function flatten(decoder: unknown): readonly Readonly<Record<string, unknown>>[] {
  const step = asRecord(decoder);
  if (step === undefined) throw unsupported(decoder, 'an object is needed');
  return step.type === 'Sequence' ? asList(step.decoders).flatMap(flatten) : [step];
}

function unsupported(step: unknown, needed: string): SdfpError {
  return new SdfpError(
    'model_unsupported',
    `Cannot use tokenizer.json: its decoder has ${JSON.stringify(step)}; ${needed}.`,
    { param: 'decoder' },
  );
}
