import { DEFAULT_SPECULATION, type GenerateRequest, type LocalEngine } from '../engine/index.ts';
import { median } from '../lib/median.ts';
import { expectedSpeedup } from '../lib/speedup.ts';
import { acceptanceOf } from '../measure/acceptance.ts';
import { measuredRequest } from '../measure/requests.ts';
import {
  type TimedGeneration,
  timeGeneration,
  tokensPerSecond,
  withoutSpeculation,
} from '../measure/speed.ts';
import { measureTypicalSteps } from '../measure/typical-steps.ts';
import { withSignal } from '../measure/with-signal.ts';
import type { DraftStudy } from '../report/types.ts';

/** Tokens drafted per round. */
const DRAFT_LENGTHS = [0, 1, 2, 3, 4, 6, 8];
const LONGEST_DRAFT = Math.max(...DRAFT_LENGTHS);
/** Each length is timed this often, in reversed order each time. */
const ROUNDS = 2;
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
  const costs = measureTypicalSteps(engine, LONGEST_DRAFT + 1);
  const passes = await runAll(options);
  const longest = passes.get(LONGEST_DRAFT)!.flat();
  const { perToken, byPosition } = acceptanceOf(
    longest.map(({ stats }) => stats),
    LONGEST_DRAFT,
  );
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
      pass.push(await timeGeneration(withSignal(engine, signal), withLength(request, draftLength)));
    }
    passes.get(draftLength)!.push(pass);
  }
  return passes;
}

/** At each temperature in turn. */
function requestOf(promptIds: readonly number[], i: number): GenerateRequest {
  const temperature = TEMPERATURES[i % TEMPERATURES.length]!;
  return measuredRequest({ promptIds, tokens: TOKENS, temperature, seed: i });
}

function withLength(request: GenerateRequest, draftLength: number): GenerateRequest {
  if (draftLength === 0) return withoutSpeculation(request);
  return { ...request, speculation: { ...DEFAULT_SPECULATION, draftLength } };
}

/** Tokens per second, the median of the passes. */
function speedOf(passes: readonly Pass[]): number {
  return median(passes.map(tokensPerSecond));
}
