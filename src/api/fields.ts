import * as v from 'valibot';

/** A field that may be absent or null, as OpenAI's clients send both. */
type Optional<T> = T | null | undefined;

/** Schema of one field of a request body. */
export type Field<In, Out = In> = v.GenericSchema<Optional<In>, Out | undefined>;

/** What was found, shortened: request bodies may hold anything. */
function describe(input: unknown): string {
  if (Array.isArray(input)) return input.length === 0 ? 'an empty list' : 'a list';
  // An object may have a toString of its own that is no function.
  if (typeof input === 'object' && input !== null) return 'an object';
  const text = typeof input === 'string' ? JSON.stringify(input) : String(input);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

/** The message of a field that is not what it needs to be. */
export function needs(what: string): (issue: v.BaseIssue<unknown>) => string {
  return (issue) => `received ${describe(issue.input)}, needs ${what}`;
}

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly description: string;
}

/** Finite number in `min..max`. */
export function number(range: NumberRange): Field<number> {
  return ranged(v.number(needs(`a number from ${range.min} to ${range.max}`)), range, 'a number');
}

/** Whole number in `min..max`. */
export function integer(range: NumberRange): Field<number> {
  const message = needs(`a whole number from ${range.min} to ${range.max}`);
  return ranged(v.pipe(v.number(message), v.integer(message)), range, 'a whole number');
}

function ranged(
  base: v.GenericSchema<number>,
  { min, max, description }: NumberRange,
  kind: string,
): Field<number> {
  const message = needs(`${kind} from ${min} to ${max}`);
  const schema = v.pipe(base, v.minValue(min, message), v.maxValue(max, message), v.description(description));
  return optional(schema);
}

export function boolean(description: string): Field<boolean> {
  return optional(v.pipe(v.boolean(needs('true or false')), v.description(description)));
}

/** Text; lone surrogates, which no tokenizer can read, become U+FFFD. */
export function text(description: string): Field<string> {
  return optional(plainText(description));
}

export function plainText(description = ''): v.GenericSchema<string> {
  const schema = v.string(needs('text'));
  return v.pipe(
    // Before the transformation: a JSON Schema of the input ends there.
    description === '' ? schema : v.pipe(schema, v.description(description)),
    v.transform((value) => value.toWellFormed()),
  );
}

/**
 * `schema` to those who read descriptions (OpenAPI), `checks` to values. For long lists: valibot goes on after the first
 * mistake, tries every branch of a union, and takes a microsecond per item and branch.
 */
export function checkedBy<In, Out>(
  schema: v.GenericSchema<In, Out>,
  checks: v.GenericSchema<unknown, Out>,
): v.GenericSchema<In, Out> {
  return { ...schema, '~run': (dataset, config) => checks['~run'](dataset, config) };
}

/** A list that has more than `max` items is refused before any of them is looked at. `what`: their name in the message. */
export function shortList<In, Out>(
  list: v.GenericSchema<In[], Out[]>,
  max: number,
  what: string,
): v.GenericSchema<In[], Out[]> {
  const message = needs(`at most ${max} ${what}`);
  // What is no list is for `list` to refuse.
  const isShort = (input: In[]): boolean => !Array.isArray(input) || input.length <= max;
  const checks = v.pipe(
    v.custom<In[]>(() => true),
    v.check(isShort, message),
    list,
  );
  return checkedBy(v.pipe(list, v.maxLength(max, message)), checks);
}

/** Null and absent both become undefined. */
export function optional<In, Out>(schema: v.GenericSchema<In, Out>): Field<In, Out> {
  return v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  );
}

/** A field that is not supported: absent, null and what `isHarmless` lets through; anything else is refused with `reason`. */
export function unsupported(reason: string, isHarmless: (value: unknown) => boolean): Field<unknown> {
  return optional(
    v.pipe(v.unknown(), v.check(isHarmless, reason), v.description(`Not supported: ${reason}`)),
  );
}
