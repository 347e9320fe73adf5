import * as v from 'valibot';

/**
 * Builders of the manifest's fields. Each takes the description, and numbers their unit, because a manifest is read by
 * people and by other programs; both end up in the JSON Schema (`description`, `unit`).
 */
type Described<Schema extends v.GenericSchema> = v.SchemaWithPipe<
  readonly [
    Schema,
    v.MetadataAction<v.InferOutput<Schema>, { readonly description: string; readonly unit?: string }>,
  ]
>;
type NumberField = Described<v.GenericSchema<number>>;
type StringField = Described<v.GenericSchema<string>>;

/** Any schema with a description. */
export function described<Schema extends v.GenericSchema>(
  schema: Schema,
  description: string,
  unit?: string,
): Described<Schema> {
  const metadata = unit === undefined ? { description } : { description, unit };
  return v.pipe(schema, v.metadata(metadata)) as Described<Schema>;
}

/** A whole number from 0 up. */
export function count(description: string, unit: string): NumberField {
  return described(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), description, unit);
}

/** A finite number. */
export function real(description: string, unit: string): NumberField {
  return described(v.pipe(v.number(), v.finite()), description, unit);
}

/** A finite number from 0 up. */
export function amount(description: string, unit: string): NumberField {
  return described(v.pipe(v.number(), v.finite(), v.minValue(0)), description, unit);
}

/** A number that `field` makes, or null, for a reason that the description gives. */
export function orNull(
  field: (description: string, unit: string) => NumberField,
  description: string,
  unit: string,
): Described<v.GenericSchema<number | null>> {
  return described(v.nullable(field(description, unit)), description, unit);
}

/** A share from 0 to 1. */
export function share(description: string): NumberField {
  return described(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), description, 'share, 0..1');
}

/** A string that is not empty. */
export function text(description: string): StringField {
  return described(v.pipe(v.string(), v.nonEmpty()), description);
}

/** A string of a fixed form. */
export function textLike(form: RegExp, description: string): StringField {
  return described(v.pipe(v.string(), v.regex(form)), description);
}

/** true or false. */
export function flag(description: string): Described<v.GenericSchema<boolean>> {
  return described(v.boolean(), description);
}
