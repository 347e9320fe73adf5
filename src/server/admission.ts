import { SdfpError } from '../lib/errors.ts';

/** Gives the places of one request back; doing so twice is harmless. */
export type Release = () => void;

/** Counts generations, so that requests whose generations do not all fit are refused at once and not queued. */
export interface Admission {
  /**
   * Takes a place for each of a request's generations (prompts times `n`; 1 by default), or none. Errors: `engine_busy`
   * when too few are free.
   */
  enter(generations?: number): Release;
  /** Resolves when no place is taken. */
  whenIdle(): Promise<void>;
}

/** `places`: generations running and waiting at once. */
export function createAdmission(places: number): Admission {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const leave = (generations: number): void => {
    taken -= generations;
    if (taken === 0) for (const resolve of waiting.splice(0)) resolve();
  };
  return {
    enter(generations = 1) {
      if (taken + generations > places) throw busyError({ places, taken, generations });
      taken += generations;
      let isHeld = true;
      return () => {
        if (isHeld) leave(generations);
        isHeld = false;
      };
    },
    whenIdle: () => (taken === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}

interface Crowd {
  readonly places: number;
  readonly taken: number;
  readonly generations: number;
}

function busyError({ places, taken, generations }: Crowd): SdfpError {
  const found =
    generations === 1 && taken === places
      ? `all ${places} places are taken, needs a free one`
      : `${taken} of ${places} places are taken, needs ${generations} (one for each prompt times \`n\`)`;
  const advice = generations > places ? '; ask for fewer, it would never fit' : '';
  return new SdfpError('engine_busy', `Taking the request: ${found}${advice}.`);
}
