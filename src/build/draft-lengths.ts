import {
  DEFAULT_SAMPLING,
  DEFAULT_SPECULATION,
  type GenerateRequest,
  type LocalEngine,
} from '../engine/index.ts';
import { median } from '../lib/median.ts';
import { expectedSpeedup } from '../lib/speedup.ts';
import { abortable } from '../measure/abortable.ts';
import { type TimedGeneration, timeGeneration, withoutSpeculation } from '../measure/speed.ts';
import type { DraftStudy } from '../report/types.ts';

/** Tokens drafted per round. */
const DRAFT_LENGTHS = [0, 1, 2, 3, 4, 6, 8];
const LONGEST_DRAFT = Math.max(...DRAFT_LENGTHS);
/** Each length is timed this often, in reversed order each time. */
const ROUNDS = 2;
/** Of a large model fewer: steps block their thread, and with it Ctrl-C. */
const STEP_RUNS = { runs: 9, budgetMs: 3000 };
const TOKENS = 48;
const MOST_PROMPTS = 4;
const TEMPERATURES = [0, 0.7];

/** What is run. */
export interface LengthOptions {
  /** Of the draft, alone. */
  readonly engine: LocalEngine;
  readonly prompts: readonly (readonly number[])[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** One pass over the prompts. */
type Pass = readonly TimedGeneration[];

/** What {@linkcode measureLengths} finds. */
export type LengthStudy = Omit<DraftStudy, 'name'>;

/** Speed by draft length: what the formula says from acceptance and step costs, and what real generation gives. */
export async function measureLengths(options: LengthOptions): Promise<LengthStudy> {
  const { engine } = options;
  const pastTokens = Math.min(128, engine.info.maxContextTokens - LONGEST_DRAFT - 1);
  const costs = engine.measureSteps({ pastTokens, widest: LONGEST_DRAFT + 1, ...STEP_RUNS });
  const passes = await runAll(options);
  const { perToken, byPosition } = acceptanceOf(passes.get(LONGEST_DRAFT)!.flat());
  const plain = speedOf(passes.get(0)!);
  const lengths = DRAFT_LENGTHS.map((draftLength) => ({
    draftLength,
    predictedTokensPerSecond: plain * expectedSpeedup(perToken, draftLength, costs),
    measuredTokensPerSecond: speedOf(passes.get(draftLength)!),
  }));
  return { lengths, acceptanceByPosition: byPosition };
}

async function runAll({ engine, prompts, signal, onProgress }: LengthOptions): Promise<Map<number, Pass[]>> {
  const requests = prompts.slice(0, MOST_PROMPTS).map(requestOf);
  const passes = new Map<number, Pass[]>(DRAFT_LENGTHS.map((length) => [length, []]));
  const order = Array.from({ length: ROUNDS }, (_, round) =>
    round % 2 === 0 ? DRAFT_LENGTHS : DRAFT_LENGTHS.toReversed(),
  ).flat();
  for (const [i, draftLength] of order.entries()) {
    onProgress?.(i / order.length);
    const pass: TimedGeneration[] = [];
    for (const request of requests) {
      pass.push(await timeGeneration(abortable(engine, signal), withLength(request, draftLength)));
    }
    passes.get(draftLength)!.push(pass);
  }
  return passes;
}

/** At each temperature in turn, past every end token, so that each length does the same work. */
function requestOf(promptIds: readonly number[], i: number): GenerateRequest {
  return {
    promptIds,
    maxTokens: TOKENS,
    sampling: { ...DEFAULT_SAMPLING, temperature: TEMPERATURES[i % TEMPERATURES.length]!, seed: i },
    speculation: DEFAULT_SPECULATION,
    stopTokenIds: [],
    topLogprobs: undefined,
  };
}

function withLength(request: GenerateRequest, draftLength: number): GenerateRequest {
  if (draftLength === 0) return withoutSpeculation(request);
  return { ...request, speculation: { ...DEFAULT_SPECULATION, draftLength } };
}

/** Tokens per second, the median of the passes. */
function speedOf(passes: readonly Pass[]): number {
  return median(
    passes.map((pass) => {
      const tokens = pass.reduce((sum, { ids }) => sum + ids.length, 0);
      return (1000 * tokens) / pass.reduce((sum, { ms }) => sum + ms, 0);
    }),
  );
}

interface Acceptance {
  /** Probability that a token is accepted where those before it were, over all positions. */
  readonly perToken: number;
  readonly byPosition: readonly number[];
}

function acceptanceOf(runs: readonly TimedGeneration[]): Acceptance {
  const accepted = new Array<number>(LONGEST_DRAFT).fill(0);
  let rounds = 0;
  for (const { stats } of runs) {
    rounds += stats.numSpecSteps;
    stats.acceptedPerPosition.forEach((count, position) => {
      accepted[position]! += count;
    });
  }
  // Every accepted token but the last lets the next be looked at.
  const reached = [rounds, ...accepted.slice(0, -1)];
  return {
    perToken: share(sum(accepted), sum(reached)),
    byPosition: accepted.map((count, position) => share(count, reached[position]!)),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
