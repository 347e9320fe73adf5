import * as v from 'valibot';
import { SdfpError } from '../lib/errors.ts';

/** Checks a request body. Errors: SdfpError `invalid_request` whose `param` is the field, e.g. `messages[0].role`. */
export function parseBody<In, Out>(schema: v.GenericSchema<In, Out>, body: unknown): Out {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new SdfpError(
      'invalid_request',
      'Reading the request: the body is no JSON object, needs {"field": value, ...}.',
    );
  }
  const result = v.safeParse(schema, body, { abortPipeEarly: true });
  if (result.success) return result.output;
  throw toError(deepest(result.issues[0]));
}

/** A union reports itself; the branch that got furthest says more ("item 3 of the list" instead of "the list"). */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  let best = issue;
  for (const nested of issue.issues ?? []) {
    const candidate = within(issue, deepest(nested));
    if ((candidate.path?.length ?? 0) > (best.path?.length ?? 0)) best = candidate;
  }
  return best;
}

/** Paths of a union's branches begin at the union. */
function within(outer: v.BaseIssue<unknown>, nested: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  const [first, ...rest] = [...(outer.path ?? []), ...(nested.path ?? [])];
  return first === undefined ? nested : { ...nested, path: [first, ...rest] };
}

function toError(issue: v.BaseIssue<unknown>): SdfpError {
  const param = formatPath(issue);
  const isMissing = issue.received === 'undefined' && issue.kind === 'schema';
  const problem = isMissing ? 'is missing' : issue.message;
  return new SdfpError('invalid_request', `Reading the request: \`${param}\` ${problem}.`, { param });
}

/** OpenAI's way of writing paths: `messages[0].content`. Keys that the caller made up (of `logit_bias`, `response_format`) are left out. */
function formatPath(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) =>
    typeof key === 'number' ? `[${key}]` : `.${String(key)}`,
  );
  return keys
    .join('')
    .replace(/^\./, '')
    .replace(/^(logit_bias|response_format)\..*/, '$1');
}
