/** Significant digits of numbers that a build computes: enough to compare, few enough to be the same on every run. */
const DIGITS = 7;

/** `value` with every number that is not whole rounded to 7 significant digits. */
export function roundFloats<T>(value: T): T {
  // Numbers stay numbers and keys stay keys, which a walk over unknown data cannot tell TypeScript.
  return roundValue(value) as T;
}

function roundValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS));
  if (Array.isArray(value)) return value.map(roundValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, roundValue(item)]));
}

/** JSON for people and diffs: two spaces, a list of plain values on one line (a row of a matrix), keys in the order given. */
export function formatJson(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every(isPlain)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    return `[\n${value.map((item) => inner + formatJson(item, inner)).join(',\n')}\n${indent}]`;
  }
  const lines = Object.entries(value).map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${formatJson(item, inner)}`,
  );
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
