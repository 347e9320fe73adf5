/** Narrowing of parsed JSON: the value if it has the kind, `undefined` (or no elements) if not. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.fromEntries(Object.entries(value)) : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Text of a token as the files write it: a string, or an object with `content`. */
export function asTokenText(value: unknown): string | undefined {
  return asString(value) ?? asString(asRecord(value)?.content);
}
