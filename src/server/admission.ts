import { SdfpError } from '../lib/errors.ts';

/** A place of one request; giving it back twice is harmless. */
export type Release = () => void;

/** Counts requests, so that those beyond the limit are refused at once and not queued. */
export interface Admission {
  /** Errors: `engine_busy` when all places are taken. */
  enter(): Release;
  /** Resolves when no place is taken. */
  whenIdle(): Promise<void>;
}

/** `places`: requests running and waiting at once. */
export function createAdmission(places: number): Admission {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    taken--;
    if (taken === 0) for (const resolve of waiting.splice(0)) resolve();
  };
  return {
    enter() {
      if (taken >= places) {
        throw new SdfpError(
          'engine_busy',
          `Taking the request: all ${places} places are taken, needs a free one.`,
        );
      }
      taken++;
      let isHeld = true;
      return () => {
        if (isHeld) leave();
        isHeld = false;
      };
    },
    whenIdle: () => (taken === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
