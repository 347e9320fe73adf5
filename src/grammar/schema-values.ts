/** Values of keywords, checked. Errors: SdfpError `invalid_request` with the pointer of the keyword. */
import { schemaError } from './schema-keywords.ts';
import type { JsonSchema } from './types.ts';

type Keywords = Readonly<Record<string, unknown>>;

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'] as const;
/** A type of JSON Schema. */
export type TypeName = (typeof TYPES)[number];

/** Types that a schema allows: those it names, or those that its keywords are about; undefined: all. */
export function readTypes(keywords: Keywords, path: string): readonly TypeName[] | undefined {
  const { type } = keywords;
  if (type === undefined) return typesOfKeywords(keywords);
  return (Array.isArray(type) ? type : [type]).map((name) => {
    const known = TYPES.find((each) => each === name);
    if (known === undefined)
      throw schemaError(`${path}/type`, `found ${JSON.stringify(name)}`, `one of ${TYPES.join(', ')}`);
    return known;
  });
}

function typesOfKeywords(keywords: Keywords): readonly TypeName[] | undefined {
  const about: readonly (readonly [TypeName, readonly string[]])[] = [
    ['object', ['properties', 'required', 'additionalProperties']],
    ['array', ['items', 'prefixItems', 'minItems', 'maxItems']],
    ['string', ['minLength', 'maxLength', 'format']],
    ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']],
  ];
  const types = about.filter(([, names]) => names.some((name) => name in keywords)).map(([type]) => type);
  return types.length === 0 ? undefined : types;
}

export function isOfType(value: unknown, type: TypeName): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

export function toSchema(value: unknown, path: string): JsonSchema {
  if (value === true || (typeof value === 'object' && value !== null && !Array.isArray(value))) {
    return value === true ? true : Object.fromEntries(Object.entries(value));
  }
  throw schemaError(path, `found ${JSON.stringify(value) ?? 'nothing'}`, 'a schema as an object, or true');
}

export function toList(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw schemaError(path, `found ${JSON.stringify(value)}`, 'a list');
}

export function toRecord(value: unknown, path: string): Keywords {
  const schema = toSchema(value, path);
  return schema === true ? {} : Object.fromEntries(Object.entries(schema));
}

export function toNumber(value: unknown, path: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw schemaError(path, `found ${JSON.stringify(value)}`, 'a number');
}

export function toCount(value: unknown, path: string): number | undefined {
  const count = toNumber(value, path);
  if (count === undefined || (Number.isInteger(count) && count >= 0)) return count;
  throw schemaError(path, `found ${count}`, 'a whole number from 0 up');
}
