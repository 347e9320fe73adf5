import { integersBetween } from './json-numbers.ts';
import type { JsonValues } from './json-values.ts';
import type { Node, NodeBuilder } from './nodes.ts';

/** Strings of a `format` of JSON Schema (without quotes), by its name; a part of all that the format allows. */
export const FORMATS: Readonly<Record<string, (b: NodeBuilder, values: JsonValues) => Node>> = {
  date,
  time,
  'date-time': (b) => b.sequence(date(b), b.literal('T'), time(b)),
  uuid(b) {
    const hex = b.bytes([0x30, 0x39], [0x61, 0x66]);
    const run = (count: number): Node => b.repeat(hex, count, count);
    const dash = b.literal('-');
    return b.sequence(run(8), dash, run(4), dash, run(4), dash, run(4), dash, run(12));
  },
  email(b) {
    const word = b.repeat(b.bytes([0x30, 0x39], [0x61, 0x7a]), 1, 24);
    const dotted = b.sequence(word, b.repeat(b.sequence(b.literal('.'), word), 0, 2));
    const domain = b.repeat(b.bytes([0x61, 0x7a]), 2, 8);
    return b.sequence(dotted, b.literal('@'), dotted, b.literal('.'), domain);
  },
  ipv4(b, values) {
    const part = integersBetween(b, values, { min: 0, max: 255 })!;
    const dot = b.literal('.');
    return b.sequence(part, dot, part, dot, part, dot, part);
  },
};

/** Days up to 28, which every month has. */
function date(b: NodeBuilder): Node {
  const digit = b.bytes([0x30, 0x39]);
  const month = b.choice(
    b.sequence(b.literal('0'), b.bytes([0x31, 0x39])),
    b.sequence(b.literal('1'), b.bytes([0x30, 0x32])),
  );
  const day = b.choice(
    b.sequence(b.literal('0'), b.bytes([0x31, 0x39])),
    b.sequence(b.literal('1'), digit),
    b.sequence(b.literal('2'), b.bytes([0x30, 0x38])),
  );
  const year = b.sequence(b.oneOf('12'), digit, digit, digit);
  return b.sequence(year, b.literal('-'), month, b.literal('-'), day);
}

function time(b: NodeBuilder): Node {
  const digit = b.bytes([0x30, 0x39]);
  const hour = b.choice(b.sequence(b.oneOf('01'), digit), b.sequence(b.literal('2'), b.bytes([0x30, 0x33])));
  const sixty = b.sequence(b.bytes([0x30, 0x35]), digit);
  const fraction = b.optional(b.sequence(b.literal('.'), b.repeat(digit, 1, 6)));
  return b.sequence(hour, b.literal(':'), sixty, b.literal(':'), sixty, fraction, b.literal('Z'));
}

/**
 * A string, quotes included, that is none of `names`: a key beside those that an object names. Without escapes, as a name
 * could hide behind them.
 */
export function keyExcept(b: NodeBuilder, character: Node, names: readonly string[]): Node {
  return b.sequence(b.literal('"'), rest(names));

  /** What may come where the names have `suffixes` left; the closing quote included. */
  function rest(suffixes: readonly string[]): Node {
    const free = b.sequence(b.repeat(character, 0, Number.POSITIVE_INFINITY), b.literal('"'));
    if (suffixes.length === 0) return free;
    const heads = new Map<number, string[]>();
    for (const suffix of suffixes.filter((text) => text !== '')) {
      const code = suffix.charCodeAt(0);
      heads.set(code, [...(heads.get(code) ?? []), suffix.slice(1)]);
    }
    const options = [...heads].map(([code, tails]) => b.sequence(b.bytes([code, code]), rest(tails)));
    if (!suffixes.includes('')) options.push(b.literal('"'));
    options.push(b.sequence(otherCharacter(b, [...heads.keys()]), free));
    return b.choice(...options);
  }
}

/** Any printable ASCII but `codes`, the quote and the backslash. */
function otherCharacter(b: NodeBuilder, codes: readonly number[]): Node {
  const allowed = Array.from({ length: 0x5f }, (_, index) => 0x20 + index).filter(
    (code) => code !== 0x22 && code !== 0x5c && !codes.includes(code),
  );
  return b.bytes(...allowed.map((code) => [code, code] as const));
}
