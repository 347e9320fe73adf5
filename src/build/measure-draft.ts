import {
  DEFAULT_SAMPLING,
  DEFAULT_SPECULATION,
  type GenerateRequest,
  type LocalEngine,
  MAX_CHOSEN_DRAFT_LENGTH,
} from '../engine/index.ts';
import { bestDraftLength, type StepCosts } from '../lib/speedup.ts';
import { type Comparison, compareSpeculation, timeGeneration } from '../measure/speed.ts';

/** Draft length of the runs that measure acceptance. */
const PROBE_DRAFT_LENGTH = 4;
/** Tokens generated per prompt while measuring, and the temperatures that take turns. */
const MEASURED_TOKENS = 64;
const TEMPERATURES = [0, 0.7];

/** What a draft costs and how often the target agrees with it. */
export interface DraftMeasurement {
  readonly costs: StepCosts;
  /** Accepted over drafted tokens, at the draft length of the measurement; null: not worth measuring. */
  readonly acceptanceRate: number | null;
  /** Probability that a draft token is accepted where those before it were, by its place in the draft. */
  readonly acceptanceByPosition: readonly number[];
  /** Speed over plain decoding at the best draft length, by the formula of `lib/speedup.ts`; a bound where acceptance was not measured. */
  readonly predictedSpeedup: number;
  readonly predictedDraftLength: number;
}

/** Requests for measuring: the prompts, at each temperature in turn, past every end token. */
export function measuringRequests(prompts: readonly (readonly number[])[]): GenerateRequest[] {
  return prompts.map((promptIds, i) => ({
    promptIds,
    maxTokens: MEASURED_TOKENS,
    sampling: { ...DEFAULT_SAMPLING, temperature: TEMPERATURES[i % TEMPERATURES.length]!, seed: i },
    speculation: DEFAULT_SPECULATION,
    stopTokenIds: [],
    topLogprobs: undefined,
  }));
}

/**
 * Step costs at a past of a typical prompt, and acceptance over `requests`, with the engine that will serve. Acceptance
 * takes most of the time: where even full acceptance would stay below `speedupToBeat`, it is left out.
 */
export async function measureDraft(
  engine: LocalEngine,
  requests: readonly GenerateRequest[],
  speedupToBeat = 0,
): Promise<DraftMeasurement> {
  const pastTokens = Math.min(128, engine.info.maxContextTokens - MAX_CHOSEN_DRAFT_LENGTH - 1);
  const costs = engine.measureSteps({ pastTokens, widest: MAX_CHOSEN_DRAFT_LENGTH + 1, runs: 9 });
  const bound = bestDraftLength(1, costs, MAX_CHOSEN_DRAFT_LENGTH);
  if (bound.speedup < speedupToBeat) return describe(costs, null, bound);
  const accepted = await measureAcceptance(engine, requests);
  return describe(costs, accepted, bestDraftLength(accepted.perToken, costs, MAX_CHOSEN_DRAFT_LENGTH));
}

function describe(
  costs: StepCosts,
  accepted: Acceptance | null,
  best: { readonly draftLength: number; readonly speedup: number },
): DraftMeasurement {
  return {
    costs,
    acceptanceRate: accepted?.rate ?? null,
    acceptanceByPosition: accepted?.byPosition ?? [],
    predictedSpeedup: best.speedup,
    predictedDraftLength: best.draftLength,
  };
}

/** Speculation on against off, as the engine itself would run it. */
export function compareDraft(
  engine: LocalEngine,
  requests: readonly GenerateRequest[],
  rounds: number,
): Promise<Comparison> {
  return compareSpeculation(engine, requests, DEFAULT_SPECULATION, rounds);
}

interface Acceptance {
  /** Accepted over drafted tokens. */
  readonly rate: number;
  /** Probability that a token is accepted where those before it were. */
  readonly perToken: number;
  readonly byPosition: readonly number[];
}

async function measureAcceptance(
  engine: LocalEngine,
  requests: readonly GenerateRequest[],
): Promise<Acceptance> {
  const speculation = { ...DEFAULT_SPECULATION, draftLength: PROBE_DRAFT_LENGTH };
  let [rounds, drafted] = [0, 0];
  const accepted = new Array<number>(PROBE_DRAFT_LENGTH).fill(0);
  for (const request of requests) {
    const { stats } = await timeGeneration(engine, { ...request, speculation });
    rounds += stats.numSpecSteps;
    drafted += stats.numDraftTokens;
    stats.acceptedPerPosition.forEach((count, position) => {
      accepted[position]! += count;
    });
  }
  const reached = [rounds, ...accepted.slice(0, -1)];
  return {
    rate: share(sum(accepted), drafted),
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
