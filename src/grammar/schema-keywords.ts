import { SdfpError } from '../lib/errors.ts';
import type { JsonSchema } from './types.ts';

type Keywords = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about which JSON is right. */
const ANNOTATIONS = new Set([
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$schema',
  '$id',
  '$anchor',
  '$comment',
  '$defs',
  'definitions',
  'discriminator',
]);

/** Keywords that are kept. Whatever is not here is refused, never ignored. */
const KEPT = new Set([
  'type',
  'enum',
  'const',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'prefixItems',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'anyOf',
  'oneOf',
  'allOf',
  '$ref',
]);

/** The keywords of a schema that matter. Errors: `invalid_request` for one that cannot be kept. */
export function readKeywords(schema: JsonSchema, path: string): Keywords {
  if (schema === true) return {};
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw schemaError(path, `found ${JSON.stringify(schema)}`, 'a schema as an object');
  }
  const kept = Object.entries(schema).filter(([keyword]) => !ANNOTATIONS.has(keyword));
  const unknown = kept.find(([keyword]) => !KEPT.has(keyword));
  if (unknown === undefined) return Object.fromEntries(kept);
  throw schemaError(
    `${path}/${unknown[0]}`,
    'the keyword is not supported',
    `one of ${[...KEPT].join(', ')}`,
  );
}

/** Two schemas that both hold, as one. Errors: `invalid_request` where they say different things with one keyword. */
export function mergeKeywords(left: Keywords, right: Keywords, path: string): Keywords {
  // A map: names of properties may be those of Object.prototype.
  const merged = new Map(Object.entries(left));
  for (const [keyword, value] of Object.entries(right)) {
    const known = merged.get(keyword);
    merged.set(keyword, known === undefined ? value : mergeValue(keyword, known, value, path));
  }
  return Object.fromEntries(merged);
}

function mergeValue(keyword: string, left: unknown, right: unknown, path: string): unknown {
  if (JSON.stringify(left) === JSON.stringify(right)) return left;
  if (keyword === 'required' && Array.isArray(left) && Array.isArray(right)) {
    return [...new Set([...left, ...right])];
  }
  if (keyword === 'properties')
    return mergeKeywords(asKeywords(left), asKeywords(right), `${path}/properties`);
  throw schemaError(`${path}/${keyword}`, 'two schemas that must both hold differ here', 'one of them');
}

function asKeywords(value: unknown): Keywords {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** Error of a schema; `path` is a JSON pointer into it. The caller says which field of its request to blame. */
export function schemaError(path: string, found: string, needed: string): SdfpError {
  return new SdfpError(
    'invalid_request',
    `Reading the JSON Schema at ${path || '/'}: ${found}, needs ${needed}.`,
  );
}

/** Schema at a `$ref`: a JSON pointer into `root`. Errors: `invalid_request`. */
export function resolvePointer(root: JsonSchema, pointer: unknown, path: string): JsonSchema {
  if (typeof pointer !== 'string' || !pointer.startsWith('#')) {
    throw schemaError(
      `${path}/$ref`,
      `found ${JSON.stringify(pointer)}`,
      'a pointer into the schema, as in #/$defs/name',
    );
  }
  let target: unknown = root;
  for (const part of pointer.slice(1).split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    target =
      typeof target === 'object' && target !== null
        ? Object.getOwnPropertyDescriptor(target, key)?.value
        : undefined;
  }
  if (target === true || (typeof target === 'object' && target !== null))
    return target === true ? true : asKeywords(target);
  throw schemaError(
    `${path}/$ref`,
    `${JSON.stringify(pointer)} names nothing`,
    'the pointer of a schema in it',
  );
}
