import { SdfpError } from './errors.ts';
import { suggestion } from './nearest.ts';

/** Every environment variable with our prefix, and what it does. A new one is added here, so that a misspelt one is noticed. */
export const SDFP_VARIABLES: Readonly<Record<string, string>> = {
  SDFP_DEBUG: '1: errors on the command line come with their stack and causes',
  SDFP_PREFIX_CACHE_BYTES: 'most memory for ended sequences, which prompts that begin like them take over',
  SDFP_RESUME_MS: 'milliseconds that a stream outlives its connection if its client asked for it',
  SDFP_THREADS: "threads of the model's session",
};

/** Refuses a set variable with our prefix that nobody reads: `invalid_request`, naming it and the nearest known one. */
export function refuseUnknownVariables(environment: Readonly<Record<string, string | undefined>>): void {
  const known = Object.keys(SDFP_VARIABLES);
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('SDFP_') || known.includes(name)) continue;
    throw new SdfpError(
      'invalid_request',
      `Cannot use the environment variable ${name}: it is unknown${suggestion(name, known)} (known: ${known.join(', ')})`,
      { param: name },
    );
  }
}
