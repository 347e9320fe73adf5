import { SdfpError } from '../../lib/errors.ts';
import type { MethodName, ScoringMethod } from '../types.ts';
import { last, random } from './baselines.ts';
import { cosine } from './cosine.ts';
import { fit, fitGate } from './gates.ts';
import { fitDiag, fitTrace } from './weights.ts';

const methods: Readonly<Record<MethodName, ScoringMethod>> = {
  fit,
  'fit-gate': fitGate,
  'fit-trace': fitTrace,
  'fit-diag': fitDiag,
  cosine,
  last,
  random,
};

/** Every method's name, the default first. */
export const methodNames: readonly string[] = Object.keys(methods);

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/** The method called `name`; an unknown one is refused with the list of those that exist. */
export function findMethod(name: string): ScoringMethod {
  if (isMethodName(name)) return methods[name];
  throw new SdfpError(
    'invalid_request',
    `choosing a scoring method: found "${name}", needs one of ${methodNames.join(', ')}`,
    { param: 'method' },
  );
}
