import {
  DEFAULT_SPECULATION,
  type Engine,
  type GenerateRequest,
  type GenerationStats,
  type LocalEngine,
  MAX_CHOSEN_DRAFT_LENGTH,
} from '../engine/index.ts';
import { bestDraftLength, type StepCosts } from '../lib/speedup.ts';
import { type Acceptance, acceptanceOf } from '../measure/acceptance.ts';
import { measuredRequest } from '../measure/requests.ts';
import { type Comparison, compareSpeculation, timeGeneration } from '../measure/speed.ts';
import { measureTypicalSteps } from '../measure/typical-steps.ts';
import { withSignal } from '../measure/with-signal.ts';

/** Draft length of the runs that measure acceptance. */
const PROBE_DRAFT_LENGTH = 4;
/** After one prompt of each temperature, a draft that could not win with this much more acceptance is measured no further. */
const FEWEST_REQUESTS = 2;
const DOUBT = 0.15;
/** Tokens generated per prompt: while acceptance is measured, and against plain decoding, which is run many times. */
const MEASURED_TOKENS = 64;
const COMPARED_TOKENS = 40;
/** Take turns. */
const TEMPERATURES = [0, 0.7];

/** What a draft costs and how often the target agrees with it. */
export interface DraftMeasurement {
  readonly costs: StepCosts;
  /** Accepted over drafted tokens, at the draft length of the measurement; null: not worth measuring. */
  readonly acceptanceRate: number | null;
  /** Probability that a draft token is accepted where those before it were, over all positions; 0 where not measured. */
  readonly acceptancePerToken: number;
  /** Probability that a draft token is accepted where those before it were, by its place in the draft. */
  readonly acceptanceByPosition: readonly number[];
  /** Speed over plain decoding at the best draft length, by the formula of `lib/speedup.ts`; a bound where acceptance was not measured. */
  readonly predictedSpeedup: number;
  readonly predictedDraftLength: number;
}

/** Requests for measuring: the prompts, at each temperature in turn, past every end token. */
export function measuringRequests(prompts: readonly (readonly number[])[]): GenerateRequest[] {
  return prompts.map((promptIds, i) =>
    measuredRequest({
      promptIds,
      tokens: MEASURED_TOKENS,
      temperature: TEMPERATURES[i % TEMPERATURES.length]!,
      seed: i,
    }),
  );
}

/** How {@linkcode measureDraft} is run. */
export interface MeasureDraftOptions {
  /**
   * Acceptance takes most of the time: where even full acceptance would stay below this, it is left out, and where a few
   * prompts show that it will, it is measured on them alone. Default 0.
   */
  readonly speedupToBeat?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Step costs at a past of a typical prompt, and acceptance over `requests`, with the engine that will serve. */
export async function measureDraft(
  engine: LocalEngine,
  requests: readonly GenerateRequest[],
  { speedupToBeat = 0, signal }: MeasureDraftOptions = {},
): Promise<DraftMeasurement> {
  const costs = measureTypicalSteps(engine, MAX_CHOSEN_DRAFT_LENGTH + 1);
  const bound = bestDraftLength(1, costs, MAX_CHOSEN_DRAFT_LENGTH);
  if (bound.speedup < speedupToBeat) return describe(costs, null, bound);
  const isHopeless = (perToken: number): boolean =>
    bestDraftLength(Math.min(1, perToken + DOUBT), costs, MAX_CHOSEN_DRAFT_LENGTH).speedup < speedupToBeat;
  const accepted = await measureAcceptance(withSignal(engine, signal), requests, isHopeless);
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
    acceptancePerToken: accepted?.perToken ?? 0,
    acceptanceByPosition: accepted?.byPosition ?? [],
    predictedSpeedup: best.speedup,
    predictedDraftLength: best.draftLength,
  };
}

/** Speculation on against off, as the engine itself would run it. */
export function compareDraft(
  engine: Engine,
  requests: readonly GenerateRequest[],
  rounds: number,
): Promise<Comparison> {
  const shorter = requests.map((request) => ({ ...request, maxTokens: COMPARED_TOKENS }));
  return compareSpeculation(engine, shorter, DEFAULT_SPECULATION, rounds);
}

/** Of the model draft's own guesses: with a fixed draft length, prompt lookup makes none where there is a draft. */
async function measureAcceptance(
  engine: Engine,
  requests: readonly GenerateRequest[],
  isHopeless: (perToken: number) => boolean,
): Promise<Acceptance> {
  const speculation = { ...DEFAULT_SPECULATION, draftLength: PROBE_DRAFT_LENGTH };
  const all: GenerationStats[] = [];
  for (const request of requests) {
    const { stats } = await timeGeneration(engine, { ...request, speculation });
    all.push(stats);
    if (all.length === FEWEST_REQUESTS && isHopeless(acceptanceOf(all, PROBE_DRAFT_LENGTH).perToken)) break;
  }
  return acceptanceOf(all, PROBE_DRAFT_LENGTH);
}
