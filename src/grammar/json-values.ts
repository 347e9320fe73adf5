import type { Node, NodeBuilder } from './nodes.ts';

/** Digits before and after the point: more would lose precision, or never end. */
const MAX_DIGITS = 15;
/** Indentation of a line at most. */
const MAX_INDENT = 16;

/** The parts of JSON (RFC 8259) that schemas are put together from. */
export interface JsonValues {
  /** Nothing, a space, or a line's start: enough for every usual style, too little to go on for ever. */
  readonly space: Node;
  /** Any character of a string, escapes included. */
  readonly character: Node;
  readonly null: Node;
  readonly boolean: Node;
  readonly integer: Node;
  readonly number: Node;
  /** Digits after a point. */
  readonly fraction: Node;
  /** Any JSON. */
  readonly any: Node;
  /** Any object. */
  readonly object: Node;
  string(min: number, max: number): Node;
  /** `{...}` around members, `[...]` around items. */
  enclose(open: '{' | '[', content: Node, close: '}' | ']'): Node;
  /** `"key": value`. `key` includes its quotes. */
  member(key: Node, value: Node): Node;
  /** Items between commas. */
  list(item: Node, min: number, max: number): Node;
  readonly comma: Node;
}

export function createJsonValues(b: NodeBuilder): JsonValues {
  const space = b.optional(
    b.choice(b.literal(' '), b.sequence(b.literal('\n'), b.repeat(b.oneOf(' \t'), 0, MAX_INDENT))),
  );
  const comma = b.sequence(b.literal(','), space);
  const character = createCharacter(b);
  const digit = b.bytes([0x30, 0x39]);
  const integer = b.sequence(b.optional(b.literal('-')), wholeNumber(b, digit));
  const fraction = b.repeat(digit, 1, MAX_DIGITS);
  const exponent = b.sequence(b.oneOf('eE'), b.optional(b.oneOf('+-')), b.repeat(digit, 1, 2));
  const number = b.sequence(integer, b.optional(b.sequence(b.literal('.'), fraction)), b.optional(exponent));
  const string = (min: number, max: number): Node =>
    b.sequence(b.literal('"'), b.repeat(character, min, max), b.literal('"'));
  const enclose = (open: string, content: Node, close: string): Node =>
    b.sequence(b.literal(open), space, content, space, b.literal(close));
  const member = (key: Node, value: Node): Node => b.sequence(key, b.literal(':'), space, value);
  const list = (item: Node, min: number, max: number): Node => {
    if (max === 0) return b.literal('');
    const more = b.repeat(b.sequence(comma, item), Math.max(0, min - 1), max - 1);
    const items = b.sequence(item, more);
    return min === 0 ? b.optional(items) : items;
  };
  const bool = b.choice(b.literal('true'), b.literal('false'));
  const nothing = b.literal('null');
  const any = b.reference();
  const text = string(0, Number.POSITIVE_INFINITY);
  const object = enclose('{', list(member(text, any), 0, Number.POSITIVE_INFINITY), '}');
  const array = enclose('[', list(any, 0, Number.POSITIVE_INFINITY), ']');
  any.target = b.choice(text, number, bool, nothing, object, array);
  return {
    space,
    character,
    null: nothing,
    boolean: bool,
    integer,
    number,
    fraction,
    any,
    object,
    string,
    enclose,
    member,
    list,
    comma,
  };
}

function wholeNumber(b: NodeBuilder, digit: Node): Node {
  return b.choice(b.literal('0'), b.sequence(b.bytes([0x31, 0x39]), b.repeat(digit, 0, MAX_DIGITS - 1)));
}

/** UTF-8 without surrogates and overlong forms (RFC 3629, section 4), or an escape. */
function createCharacter(b: NodeBuilder): Node {
  const tail = b.bytes([0x80, 0xbf]);
  const two = b.sequence(b.bytes([0xc2, 0xdf]), tail);
  const three = b.choice(
    b.sequence(b.bytes([0xe0, 0xe0]), b.bytes([0xa0, 0xbf]), tail),
    b.sequence(b.bytes([0xe1, 0xec], [0xee, 0xef]), tail, tail),
    b.sequence(b.bytes([0xed, 0xed]), b.bytes([0x80, 0x9f]), tail),
  );
  const four = b.choice(
    b.sequence(b.bytes([0xf0, 0xf0]), b.bytes([0x90, 0xbf]), tail, tail),
    b.sequence(b.bytes([0xf1, 0xf3]), tail, tail, tail),
    b.sequence(b.bytes([0xf4, 0xf4]), b.bytes([0x80, 0x8f]), tail, tail),
  );
  const plain = b.bytes([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7f]);
  return b.choice(plain, two, three, four, createEscape(b));
}

/** \u of surrogates is left out: a pair can be written as the character itself. */
function createEscape(b: NodeBuilder): Node {
  const hex = b.bytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]);
  const code = b.choice(
    b.sequence(b.bytes([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66]), hex, hex, hex),
    b.sequence(b.oneOf('dD'), b.bytes([0x30, 0x37]), hex, hex),
  );
  return b.sequence(b.literal('\\'), b.choice(b.oneOf('"\\/bfnrt'), b.sequence(b.literal('u'), code)));
}
