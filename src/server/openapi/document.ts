import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { VERSION } from '../../lib/version.ts';
import {
  type Answer,
  OPERATIONS,
  type Operation,
  type Parameter,
  SCHEMAS,
  type SchemaName,
} from './operations.ts';

type Json = Readonly<Record<string, unknown>>;

/** A JSON Schema as far as the page at /docs reads it. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly $ref?: string;
}

export type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface OperationJson {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, ResponseJson>>;
  readonly security: readonly Json[];
}

interface ResponseJson {
  readonly description: string;
  readonly headers: Json;
  readonly content?: Content;
}

/** The API as OpenAPI 3.1. Bodies are generated from the schemas that check them. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationJson>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: Json };
}

export function createOpenApi(): OpenApiDocument {
  const schemas = Object.entries(SCHEMAS).map(([name, schema]) => [name, toSchema(schema)] as const);
  return {
    openapi: '3.1.0',
    info: {
      title: 'sdfp',
      version: VERSION,
      description: "OpenAI's API around one model that answers faster by speculative decoding.",
    },
    paths: toPaths(),
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'Only where the server has keys.' },
      },
    },
  };
}

/** Every route takes it. */
const REQUEST_ID: Parameter = {
  name: 'x-request-id',
  in: 'header',
  description:
    'Id of the request, which the answer and the log repeat; of 1 to 128 letters, digits, `_`, `.` and `-`; others are replaced. With `Last-Event-ID` it names the stream.',
  schema: { type: 'string' },
};

function toPaths(): OpenApiDocument['paths'] {
  const paths: Record<string, Record<string, OperationJson>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: toOperation(operation) };
  }
  return paths;
}

function toOperation({
  id,
  tag,
  summary,
  description,
  body,
  answers,
  needsKey,
  parameters = [],
}: Operation): OperationJson {
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [...parameters, REQUEST_ID],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: toRef(body) } } } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, toResponse(answer)]),
    ),
    // A server without keys asks for none.
    security: needsKey ? [{ key: [] }, {}] : [],
  };
}

function toResponse({ description, content }: Answer): ResponseJson {
  const headers = {
    'x-request-id': {
      description: "Id of the request, the client's own if it sent one.",
      schema: { type: 'string' },
    },
  };
  if (content === undefined) return { description, headers };
  const bodies = Object.entries(content).map(([type, name]): [string, { schema: Schema }] => [
    type,
    { schema: name === 'text' ? { type: 'string' } : toRef(name) },
  ]);
  return { description, headers, content: Object.fromEntries(bodies) };
}

function toRef(name: SchemaName): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** What a client may send: checks across fields have no words in JSON Schema and are left out. */
function toSchema(schema: v.GenericSchema): Schema {
  const { $schema: _, ...json } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    errorMode: 'ignore',
  });
  return joinObjects(Object(json));
}

/** An intersection of objects (shared and own fields) as one object, which every generator of clients understands. */
function joinObjects(schema: Schema & { readonly allOf?: readonly Schema[] }): Schema {
  const { allOf, ...rest } = schema;
  if (allOf === undefined) return rest;
  const joined = { type: 'object', properties: {}, required: [] as string[] };
  for (const part of allOf) {
    Object.assign(joined.properties, part.properties);
    joined.required.push(...(part.required ?? []));
  }
  return { ...rest, ...joined };
}
