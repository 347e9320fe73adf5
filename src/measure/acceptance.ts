import type { GenerationStats } from '../engine/index.ts';

/** How often the target took the draft's tokens. */
export interface Acceptance {
  /** Accepted over drafted tokens. */
  readonly rate: number;
  /** Probability that a token is accepted where those before it were, over all positions. */
  readonly perToken: number;
  /** The same by position in the draft. */
  readonly byPosition: readonly number[];
}

/** Of generations whose drafts had `draftLength` tokens; 0 where nothing was drafted. */
export function acceptanceOf(all: readonly GenerationStats[], draftLength: number): Acceptance {
  const accepted = Array.from({ length: draftLength }, (_, position) =>
    sum(all.map(({ acceptedPerPosition }) => acceptedPerPosition[position] ?? 0)),
  );
  // Every accepted token but the last lets the next be looked at.
  const reached = [sum(all.map(({ numSpecSteps }) => numSpecSteps)), ...accepted.slice(0, -1)];
  return {
    rate: share(sum(accepted), sum(all.map(({ numDraftTokens }) => numDraftTokens))),
    perToken: share(sum(accepted), sum(reached)),
    byPosition: accepted.map((count, i) => share(count, reached[i]!)),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
