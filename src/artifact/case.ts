/** snake_case on the wire, camelCase inside: one rule for every key, on types and on values. */
type CamelName<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelName<Tail>>}`
  : Name;

/** `T` with all its keys, nested ones included, in camelCase. */
export type CamelKeys<T> = T extends readonly (infer Item)[]
  ? CamelKeys<Item>[]
  : T extends object
    ? { [Key in keyof T as Key extends string ? CamelName<Key> : Key]: CamelKeys<T[Key]> }
    : T;

/** Renames the keys of plain JSON data. */
export function camelKeys<T>(value: T): CamelKeys<T> {
  // The type above states what renameKeys does; TypeScript cannot follow a walk over unknown keys.
  return renameKeys(value, (key) =>
    key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  ) as CamelKeys<T>;
}

/** The way back; `undefined` becomes null, for JSON has no other word. */
export function snakeKeys(record: object): Record<string, unknown> {
  const rename = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(
    Object.entries(record).map(([key, item]) => [rename(key), renameKeys(item, rename)]),
  );
}

function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renameKeys(item, rename));
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [rename(key), renameKeys(item, rename)]),
  );
}
