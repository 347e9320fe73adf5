import * as v from 'valibot';
import { boolean, type Field, needs, optional, plainText } from './fields.ts';

/** A JSON Schema as it comes; the server says which keywords it knows. */
export type JsonSchemaBody = Record<string, unknown>;

/** `response_format` on the wire. */
export type ResponseFormatBody =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      json_schema: {
        name: string;
        schema?: JsonSchemaBody | null | undefined;
        description?: string | null | undefined;
        strict?: boolean | null | undefined;
      };
    };

/** The JSON that an answer must be; undefined: any text. */
export type AnswerSchema = JsonSchemaBody | undefined;

/** As it came: a record of valibot's would drop keys like `__proto__`, and take a list for one. */
export const JsonSchemaSchema: v.GenericSchema<JsonSchemaBody> = v.pipe(
  v.custom<JsonSchemaBody>(isPlainObject, needs('a JSON Schema as an object')),
  v.description('JSON Schema (2020-12), an object. Keywords that cannot be kept are refused.'),
);

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names of schemas and functions. */
export const NameSchema: v.GenericSchema<string> = v.pipe(
  plainText(),
  v.regex(/^[\w.-]{1,64}$/, needs('a name of up to 64 letters, digits, `_`, `-` and `.`')),
);

/** What both of OpenAI's spellings (chat: nested, responses: flat) say of a schema. */
export const namedSchema: {
  readonly name: v.GenericSchema<string>;
  readonly schema: Field<JsonSchemaBody>;
  readonly description: Field<string>;
  readonly strict: Field<boolean>;
} = {
  name: NameSchema,
  schema: optional(JsonSchemaSchema),
  description: optional(plainText()),
  strict: boolean('The answer always follows the schema, whatever this says.'),
};

const wire = v.variant(
  'type',
  [
    v.object({ type: v.literal('text') }),
    v.object({ type: v.literal('json_object') }),
    v.object({
      type: v.literal('json_schema'),
      json_schema: v.object(namedSchema, needs('an object {name, schema}')),
    }),
  ],
  needs('an object with the type "text", "json_object" or "json_schema"'),
);

/** Field `response_format`. */
export const ResponseFormatSchema: Field<ResponseFormatBody, JsonSchemaBody> = v.pipe(
  optional(
    v.pipe(
      wire,
      v.description(
        '`json_object` or `json_schema`: the answer is JSON, by constrained decoding. Default: text.',
      ),
    ),
  ),
  v.transform((format): AnswerSchema => {
    if (format === undefined || format.type === 'text') return undefined;
    return format.type === 'json_object' ? { type: 'object' } : (format.json_schema.schema ?? {});
  }),
);
