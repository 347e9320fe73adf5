import type { JsonValues } from './json-values.ts';
import type { Node, NodeBuilder } from './nodes.ts';

/** Bounds that are not given are infinite. */
export interface NumberBounds {
  readonly min: number;
  readonly max: number;
}

/** Whole numbers in `min..max`, both inclusive; undefined if there is none. At most 15 digits. */
export function integersBetween(b: NodeBuilder, values: JsonValues, bounds: NumberBounds): Node | undefined {
  const min = Math.max(Math.ceil(bounds.min), -MOST);
  const max = Math.min(Math.floor(bounds.max), MOST);
  if (min > max) return undefined;
  if (min === -MOST && max === MOST) return values.integer;
  const options = [
    ...(max >= 0 ? magnitudes(b, Math.max(0, min), max) : []),
    ...(min < 0
      ? magnitudes(b, Math.max(1, -max), -min).map((node) => b.sequence(b.literal('-'), node))
      : []),
  ];
  return b.choice(...options);
}

/** Numbers strictly or not strictly between bounds: whole ones, and fractions between two whole ones that are both inside. */
export function numbersBetween(b: NodeBuilder, values: JsonValues, bounds: NumberBounds): Node | undefined {
  if (bounds.min === Number.NEGATIVE_INFINITY && bounds.max === Number.POSITIVE_INFINITY)
    return values.number;
  const whole = integersBetween(b, values, bounds);
  const [low, high] = [Math.ceil(bounds.min), Math.floor(bounds.max)];
  const positive = magnitudeNode(b, Math.max(0, low), high - 1);
  const negative = magnitudeNode(b, Math.max(0, -high), -low - 1);
  const withFraction = (node: Node | undefined, sign: string): Node[] =>
    node === undefined ? [] : [b.sequence(b.literal(sign), node, b.literal('.'), values.fraction)];
  const options = [
    ...(whole === undefined ? [] : [whole]),
    ...withFraction(positive, ''),
    ...withFraction(negative, '-'),
  ];
  return options.length === 0 ? undefined : b.choice(...options);
}

/** Largest number of 15 digits: a double has every whole number up to it. */
const MOST = 999_999_999_999_999;

function magnitudeNode(b: NodeBuilder, low: number, high: number): Node | undefined {
  const top = Math.min(high, MOST);
  return low > top ? undefined : b.choice(...magnitudes(b, low, top));
}

/** Whole numbers `low..high`, not negative, by their number of digits. */
function magnitudes(b: NodeBuilder, low: number, high: number): Node[] {
  const nodes: Node[] = [];
  for (let start = low; start <= high; ) {
    const end = Math.min(high, 10 ** String(start).length - 1);
    nodes.push(sameLength(b, String(start), String(end)));
    start = end + 1;
  }
  return nodes;
}

/** Numbers from `low` to `high`, which have equally many digits. */
function sameLength(b: NodeBuilder, low: string, high: string): Node {
  const [first, last] = [Number(low[0]), Number(high[0])];
  const rest = low.length - 1;
  const [zeros, nines] = ['0'.repeat(rest), '9'.repeat(rest)];
  if (rest === 0) return digits(b, first, last);
  const tail = (from: string, to: string): Node =>
    from === zeros && to === nines ? b.repeat(digits(b, 0, 9), rest, rest) : sameLength(b, from, to);
  if (first === last) return b.sequence(digits(b, first, first), tail(low.slice(1), high.slice(1)));
  const options: Node[] = [];
  const add = (from: number, to: number, node: Node): void => {
    if (from <= to) options.push(b.sequence(digits(b, from, to), node));
  };
  const [fullFirst, fullLast] = [
    low.slice(1) === zeros ? first : first + 1,
    high.slice(1) === nines ? last : last - 1,
  ];
  if (fullFirst > first) add(first, first, tail(low.slice(1), nines));
  add(fullFirst, fullLast, tail(zeros, nines));
  if (fullLast < last) add(last, last, tail(zeros, high.slice(1)));
  return b.choice(...options);
}

function digits(b: NodeBuilder, from: number, to: number): Node {
  return b.bytes([0x30 + from, 0x30 + to]);
}
