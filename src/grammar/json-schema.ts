import { integersBetween, numbersBetween } from './json-numbers.ts';
import { FORMATS, keyExcept } from './json-strings.ts';
import { createJsonValues, type JsonValues } from './json-values.ts';
import type { Node, NodeBuilder, Reference } from './nodes.ts';
import { disjointReason } from './schema-disjoint.ts';
import { mergeKeywords, readKeywords, resolvePointer, schemaError } from './schema-keywords.ts';
import {
  isOfType,
  readTypes,
  type TypeName,
  toCount,
  toList,
  toNumber,
  toRecord,
  toSchema,
} from './schema-values.ts';
import type { JsonSchema } from './types.ts';

type Keywords = Readonly<Record<string, unknown>>;

/** References that meet again and again may make a short schema endless. */
const MAX_WORK = 20_000;
/** Deepest nesting of schemas that is followed without a `$ref`. */
const MAX_DEPTH = 64;

/**
 * Grammar of the JSON that follows a schema: some of it where it allows much (properties come in the schema's order, and
 * keys that it does not name only if `additionalProperties` asks for them), never any that it forbids.
 * Errors: SdfpError `invalid_request` for keywords that cannot be kept, and for schemas that nothing follows.
 */
export function compileJsonSchema(b: NodeBuilder, root: JsonSchema): Node {
  return new SchemaCompiler(b, root).compile(root, '', 0);
}

class SchemaCompiler {
  readonly #b: NodeBuilder;
  readonly #values: JsonValues;
  readonly #root: JsonSchema;
  readonly #references: Map<string, Reference> = new Map();
  /** Schemas read so far, each as often as it is. */
  #work = 0;

  constructor(b: NodeBuilder, root: JsonSchema) {
    this.#b = b;
    this.#values = createJsonValues(b);
    this.#root = root;
  }

  compile(schema: unknown, path: string, depth: number): Node {
    if (depth > MAX_DEPTH) throw schemaError(path, `more than ${MAX_DEPTH} levels`, 'fewer, or a $ref');
    const keywords = readKeywords(toSchema(schema, path), path);
    const { $ref, ...rest } = keywords;
    if ($ref !== undefined && Object.keys(rest).length === 0) return this.#reference($ref, path, depth);
    return this.#compileKeywords(this.#joinAll(keywords, path, 0), path, depth);
  }

  #reference(pointer: unknown, path: string, depth: number): Node {
    const name = String(pointer);
    let reference = this.#references.get(name);
    if (reference === undefined) {
      const target = resolvePointer(this.#root, pointer, path);
      reference = this.#b.reference();
      this.#references.set(name, reference);
      reference.target = this.compile(target, name, depth + 1);
    }
    return reference;
  }

  /** `allOf`, and a `$ref` with keywords beside it, as one schema. */
  #joinAll(keywords: Keywords, path: string, depth: number): Keywords {
    const { allOf, $ref, ...own } = keywords;
    if (depth > MAX_DEPTH) throw schemaError(path, 'a $ref that leads to itself', 'one that ends');
    this.#work++;
    if (this.#work > MAX_WORK)
      throw schemaError(path, 'more references than can be followed', 'a smaller schema');
    const parts = allOf === undefined ? [] : toList(allOf, `${path}/allOf`);
    const schemas = $ref === undefined ? parts : [...parts, resolvePointer(this.#root, $ref, path)];
    return schemas.reduce<Keywords>((joined, part, index) => {
      const at = `${path}/allOf/${index}`;
      return mergeKeywords(joined, this.#joinAll(readKeywords(toSchema(part, at), at), at, depth + 1), path);
    }, own);
  }

  #compileKeywords(keywords: Keywords, path: string, depth: number): Node {
    const { anyOf, oneOf, ...own } = keywords;
    const options = anyOf ?? oneOf;
    if (anyOf !== undefined && oneOf !== undefined) {
      throw schemaError(path, 'anyOf and oneOf in one schema', 'one of them');
    }
    if (options === undefined) return this.#compilePlain(own, path, depth);
    const name = anyOf === undefined ? 'oneOf' : 'anyOf';
    const branches = toList(options, `${path}/${name}`).map((option, index) => {
      const at = `${path}/${name}/${index}`;
      return mergeKeywords(own, this.#joinAll(readKeywords(toSchema(option, at), at), at, 0), at);
    });
    const overlap = oneOf === undefined ? undefined : disjointReason(branches);
    if (overlap !== undefined)
      throw schemaError(`${path}/oneOf`, overlap, 'branches that exclude each other, or anyOf');
    return this.#b.choice(
      ...branches.map((branch, i) =>
        this.#branch(branch, toList(options, path)[i], `${path}/${name}/${i}`, depth),
      ),
    );
  }

  /** A branch that is a bare `$ref` keeps its name, so that it may be recursive. */
  #branch(joined: Keywords, option: unknown, path: string, depth: number): Node {
    const source = readKeywords(toSchema(option, path), path);
    const isBare = source.$ref !== undefined && Object.keys(source).length === 1;
    const isAlone =
      isBare && Object.keys(joined).length === Object.keys(this.#joinAll(source, path, 0)).length;
    if (isAlone) return this.#reference(source.$ref, path, depth);
    if (depth > MAX_DEPTH) throw schemaError(path, `more than ${MAX_DEPTH} levels`, 'fewer, or a $ref');
    return this.#compileKeywords(joined, path, depth + 1);
  }

  #compilePlain(keywords: Keywords, path: string, depth: number): Node {
    if (keywords.const !== undefined) return this.#constants([keywords.const], keywords, path);
    if (keywords.enum !== undefined)
      return this.#constants(toList(keywords.enum, `${path}/enum`), keywords, path);
    const types = readTypes(keywords, path);
    if (types === undefined) return this.#values.any;
    return this.#b.choice(...types.map((type) => this.#compileType(type, keywords, path, depth)));
  }

  #constants(values: readonly unknown[], keywords: Keywords, path: string): Node {
    const types = readTypes(keywords, path);
    const fitting = values.filter(
      (value) => types === undefined || types.some((type) => isOfType(value, type)),
    );
    if (fitting.length === 0)
      throw schemaError(path, 'no value of enum or const has the type', 'one that has');
    return this.#b.choice(...fitting.map((value) => this.#b.literal(JSON.stringify(value))));
  }

  #compileType(type: TypeName, keywords: Keywords, path: string, depth: number): Node {
    switch (type) {
      case 'null':
        return this.#values.null;
      case 'boolean':
        return this.#values.boolean;
      case 'integer':
      case 'number':
        return this.#number(type, keywords, path);
      case 'string':
        return this.#string(keywords, path);
      case 'array':
        return this.#array(keywords, path, depth);
      case 'object':
        return this.#object(keywords, path, depth);
    }
  }

  #number(type: 'integer' | 'number', keywords: Keywords, path: string): Node {
    const read = (name: string): number | undefined => toNumber(keywords[name], `${path}/${name}`);
    const [above, below] = [read('exclusiveMinimum'), read('exclusiveMaximum')];
    const bounds = {
      min: Math.max(
        read('minimum') ?? Number.NEGATIVE_INFINITY,
        above === undefined ? Number.NEGATIVE_INFINITY : Math.floor(above) + 1,
      ),
      max: Math.min(
        read('maximum') ?? Number.POSITIVE_INFINITY,
        below === undefined ? Number.POSITIVE_INFINITY : Math.ceil(below) - 1,
      ),
    };
    const between = type === 'integer' ? integersBetween : numbersBetween;
    const node = between(this.#b, this.#values, bounds);
    if (node !== undefined) return node;
    throw schemaError(
      path,
      `no whole number of up to 15 digits is from ${bounds.min} to ${bounds.max}`,
      'wider bounds',
    );
  }

  #string(keywords: Keywords, path: string): Node {
    const { format } = keywords;
    const min = toCount(keywords.minLength, `${path}/minLength`) ?? 0;
    const max = toCount(keywords.maxLength, `${path}/maxLength`) ?? Number.POSITIVE_INFINITY;
    if (min > max)
      throw schemaError(path, `minLength ${min} is over maxLength ${max}`, 'a length that fits both');
    if (format === undefined) return this.#values.string(min, max);
    const create = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (create === undefined || min > 0 || max < Number.POSITIVE_INFINITY) {
      throw schemaError(
        `${path}/format`,
        `found ${JSON.stringify(format)}`,
        `one of ${Object.keys(FORMATS).join(', ')}, without lengths`,
      );
    }
    return this.#b.sequence(this.#b.literal('"'), create(this.#b, this.#values), this.#b.literal('"'));
  }

  #array(keywords: Keywords, path: string, depth: number): Node {
    const b = this.#b;
    const min = toCount(keywords.minItems, `${path}/minItems`) ?? 0;
    const max = toCount(keywords.maxItems, `${path}/maxItems`) ?? Number.POSITIVE_INFINITY;
    const first =
      keywords.prefixItems === undefined ? [] : toList(keywords.prefixItems, `${path}/prefixItems`);
    const hasRest = keywords.items !== false;
    if (min > max || (!hasRest && min > first.length))
      throw schemaError(path, `minItems ${min}`, 'as many items as may be there');
    const item = (): Node => this.compile(keywords.items ?? true, `${path}/items`, depth + 1);
    if (first.length === 0) {
      return this.#values.enclose('[', hasRest ? this.#values.list(item(), min, max) : b.literal(''), ']');
    }
    const nodes = first
      .slice(0, max)
      .map((schema, index) => this.compile(schema, `${path}/prefixItems/${index}`, depth + 1));
    const separated = nodes.flatMap((node, index) => (index === 0 ? [node] : [this.#values.comma, node]));
    const left = Math.max(0, max - nodes.length);
    if (hasRest && keywords.items !== undefined && left > 0) {
      separated.push(b.repeat(b.sequence(this.#values.comma, item()), Math.max(0, min - nodes.length), left));
    } else if (min > nodes.length) {
      separated.push(
        b.repeat(b.sequence(this.#values.comma, item()), min - nodes.length, min - nodes.length),
      );
    }
    return this.#values.enclose('[', b.sequence(...separated), ']');
  }

  #object(keywords: Keywords, path: string, depth: number): Node {
    const b = this.#b;
    const properties = Object.entries(toRecord(keywords.properties ?? {}, `${path}/properties`));
    const required = toList(keywords.required ?? [], `${path}/required`).map(String);
    const named = properties.map(([name]) => name);
    const others = keywords.additionalProperties ?? (properties.length === 0 ? true : undefined);
    for (const name of required.filter((each) => !named.includes(each))) {
      if (others === false)
        throw schemaError(
          `${path}/required`,
          `${JSON.stringify(name)} is no property`,
          'names of properties',
        );
      properties.push([name, others ?? true]);
    }
    if (properties.length === 0 && others === true) return this.#values.object;
    const members = properties.map(([name, schema]) => ({
      node: this.#values.member(
        b.literal(JSON.stringify(name)),
        this.compile(schema, `${path}/properties/${name}`, depth + 1),
      ),
      isRequired: required.includes(name),
    }));
    const extra = this.#extraMember(
      others,
      properties.map(([name]) => name),
      `${path}/additionalProperties`,
      depth,
    );
    return this.#values.enclose('{', this.#members(members, extra), '}');
  }

  /** Member whose key the schema does not name; undefined if there is none. */
  #extraMember(others: unknown, names: readonly string[], path: string, depth: number): Node | undefined {
    if (others === undefined || others === false) return undefined;
    const foreign = names.find((name) => !/^[ !#-[\]-~]*$/.test(name));
    if (foreign !== undefined) {
      throw schemaError(
        path,
        `further properties beside ${JSON.stringify(foreign)}`,
        'false, or names of printable ASCII',
      );
    }
    return this.#values.member(
      keyExcept(this.#b, this.#values.character, names),
      this.compile(others, path, depth + 1),
    );
  }

  /** Members in order; optional ones may be left out, commas are only between those that are there. */
  #members(
    members: readonly { readonly node: Node; readonly isRequired: boolean }[],
    extra: Node | undefined,
  ): Node {
    const b = this.#b;
    const nothing = b.literal('');
    const { comma } = this.#values;
    // From the last member to the first: what may follow after it, with nothing or with something before it.
    let afterSome =
      extra === undefined ? nothing : b.repeat(b.sequence(comma, extra), 0, Number.POSITIVE_INFINITY);
    let afterNone = extra === undefined ? nothing : b.optional(b.sequence(extra, afterSome));
    for (const { node, isRequired } of members.toReversed()) {
      const [there, separated] = [b.sequence(node, afterSome), b.sequence(comma, node, afterSome)];
      afterNone = isRequired ? there : b.choice(there, afterNone);
      afterSome = isRequired ? separated : b.choice(separated, afterSome);
    }
    return afterNone;
  }
}
