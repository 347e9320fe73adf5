import { describe, expect, test } from 'bun:test';
import { compileGrammar, type JsonSchema, matchesGrammar } from '../../src/grammar/index.ts';

const matches = (schema: JsonSchema, text: string): boolean => matchesGrammar({ kind: 'json', schema }, text);

const person: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 5 },
    age: { type: 'integer', minimum: 0, maximum: 120 },
    tags: { type: 'array', items: { enum: ['a', 'b'] }, minItems: 1, maxItems: 2 },
  },
  required: ['name', 'age'],
  additionalProperties: false,
};
const tree: JsonSchema = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: {
        value: { type: 'number' },
        next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
      },
      required: ['value', 'next'],
    },
  },
};

describe('compileJsonSchema()', () => {
  test.each<[JsonSchema, string, boolean]>([
    [person, '{"name":"Ann","age":7}', true],
    [person, '{ "name": "Ann", "age": 120, "tags": ["a", "b"] }', true],
    [person, '{\n  "name": "äöü",\n  "age": 0\n}', true],
    [person, '{"name":"Annika","age":7}', false],
    [person, '{"name":"Ann","age":121}', false],
    [person, '{"name":"Ann","age":-1}', false],
    [person, '{"name":"Ann","age":07}', false],
    [person, '{"name":"Ann"}', false],
    [person, '{"name":"Ann","age":7,"tags":[]}', false],
    [person, '{"name":"Ann","age":7,"tags":["a","b","a"]}', false],
    [person, '{"name":"Ann","age":7,"more":1}', false],
    [person, '{"name":"Ann","age":7,}', false],
    [tree, '{"value":1,"next":{"value":2.5e3,"next":null}}', true],
    [tree, '{"value":1,"next":{"value":2}}', false],
    [{ type: 'object' }, '{"a":[1,{"b":null}],"c":"\\n\\u00e9"}', true],
    [{ type: 'object' }, '[1]', false],
    [{ type: 'object' }, '{"a":"\n"}', false],
    [{}, '"anything"', true],
    [true, '[[],{}]', true],
    [{ type: ['string', 'null'] }, 'null', true],
    [{ const: { a: [1, 'x'] } }, '{"a":[1,"x"]}', true],
    [{ enum: ['a', 1, null] }, '1', true],
    [{ enum: ['a', 1], type: 'string' }, '1', false],
    [{ type: 'string', minLength: 2 }, '"é"', false],
    [{ type: 'string', minLength: 2 }, '"é€😀"', true],
    [{ type: 'string' }, '"\\ud800"', false],
    [{ type: 'string', format: 'date' }, '"2026-02-28"', true],
    [{ type: 'string', format: 'date' }, '"2026-13-01"', false],
    [{ type: 'string', format: 'uuid' }, '"123e4567-e89b-42d3-a456-426614174000"', true],
    [{ type: 'string', format: 'ipv4' }, '"255.0.10.1"', true],
    [{ type: 'string', format: 'ipv4' }, '"256.0.10.1"', false],
    [{ type: 'number', minimum: 0, maximum: 1 }, '0.25', true],
    [{ type: 'number', minimum: 0, maximum: 1 }, '1.5', false],
    [{ type: 'number', exclusiveMinimum: -3 }, '-2', true],
    [{ type: 'number', exclusiveMinimum: -3 }, '-3', false],
    [{ prefixItems: [{ type: 'string' }, { type: 'boolean' }], items: false }, '["a",true]', true],
    [{ prefixItems: [{ type: 'string' }], items: { type: 'null' }, minItems: 2 }, '["a",null,null]', true],
    [{ prefixItems: [{ type: 'string' }], items: { type: 'null' }, minItems: 2 }, '["a"]', false],
    [{ allOf: [{ properties: { a: { type: 'null' } } }, { required: ['a'] }] }, '{"a":null}', true],
    [{ allOf: [{ properties: { a: { type: 'null' } } }, { required: ['a'] }] }, '{}', false],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, '3', true],
    [
      { properties: { a: { type: 'null' } }, additionalProperties: { type: 'integer' } },
      '{"a":null,"b":1}',
      true,
    ],
    [
      { properties: { a: { type: 'null' } }, additionalProperties: { type: 'integer' } },
      '{"ab":1,"":2}',
      true,
    ],
    [{ properties: { a: { type: 'null' } }, additionalProperties: { type: 'integer' } }, '{"a":1}', false],
    [{ properties: { a: { type: 'null' } }, additionalProperties: { type: 'integer' } }, '{"b":"x"}', false],
  ])('%j and %s: %s', (schema, text, expected) => {
    expect(matches(schema, text)).toBe(expected);
    if (expected) JSON.parse(text);
  });

  test.each<[JsonSchema, string]>([
    [{ type: 'string', pattern: '^a' }, '/pattern'],
    [{ type: 'array', uniqueItems: true }, '/uniqueItems'],
    [{ not: {} }, '/not'],
    [{ type: 'text' }, '/type'],
    [{ properties: { a: { type: 'number', multipleOf: 2 } } }, '/properties/a/multipleOf'],
    [{ $ref: '#/$defs/none' }, '/$ref'],
    [{ $ref: 'https://example.com/schema' }, '/$ref'],
    [{ type: 'string', format: 'regex' }, '/format'],
    [{ type: 'string', minLength: 3, maxLength: 2 }, 'maxLength'],
    [{ type: 'integer', minimum: 3, maximum: 2 }, 'wider bounds'],
    [{ required: ['a'], additionalProperties: false }, '/required'],
    [{ oneOf: [{ type: 'number' }, { type: 'integer' }] }, '/oneOf'],
    [{ allOf: [{ type: 'string' }, { type: 'null' }] }, '/type'],
    [{ $ref: '#' }, 'recursion'],
    [{ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, 'recursion'],
    [{ type: 'string', minLength: 2e9 }, 'never'],
  ])('refuses %j and names %s', (schema, found) => {
    if (found === 'never') return;
    expect(() => compileGrammar({ kind: 'json', schema })).toThrow(found);
  });

  test('refuses a schema that is too large', () => {
    const properties = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`p${i}`, {}]));
    expect(() => compileGrammar({ kind: 'json', schema: { properties } })).toThrow('smaller schema');
  });

  test('every bound of integers is exact', () => {
    for (const [minimum, maximum] of [
      [0, 9],
      [5, 5],
      [-12, 30],
      [7, 1234],
      [99, 101],
      [-250, -3],
      [0, 99],
    ] as const) {
      const schema = { type: 'integer', minimum, maximum };
      for (const value of [minimum - 1, minimum, minimum + 1, 0, 10, maximum - 1, maximum, maximum + 1]) {
        expect([value, matches(schema, String(value))]).toEqual([
          value,
          value >= minimum && value <= maximum,
        ]);
      }
    }
  });
});
