import * as v from 'valibot';
import { SdfpError } from '../lib/errors.ts';

/** Checks `value` against `schema`; what is wrong with `what` becomes one `model_unreadable` that names the key. */
export function parse<TSchema extends v.GenericSchema>(
  schema: TSchema,
  value: unknown,
  what: string,
): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = v.getDotPath(issue);
  throw new SdfpError('model_unreadable', `Cannot read ${what}: ${key ?? 'the whole'}: ${issue.message}.`, {
    cause: new v.ValiError(result.issues),
    ...(key === null ? {} : { param: key }),
  });
}
