import type { Engine, GenerateRequest, GenerationStats, SpeculationParams } from '../engine/types.ts';
import { median } from '../lib/median.ts';

/** One generation, timed from the call to its last event. */
export interface TimedGeneration {
  readonly ids: readonly number[];
  readonly ms: number;
  readonly stats: GenerationStats;
}

/** Two ways of generating the same texts, measured in turn. */
export interface Comparison {
  /** Plain time over speculative time, one entry per round of the measurement; above 1: speculation is faster. */
  readonly ratios: readonly number[];
  /** Median of `ratios`. */
  readonly ratio: number;
  readonly plainTokensPerSecond: number;
  readonly tokensPerSecond: number;
  /** Tokens per round, 1 + accepted / rounds with a draft; 1 where none drafted. */
  readonly acceptanceLength: number;
  /** Accepted over drafted tokens; 0 where none was drafted. */
  readonly acceptanceRate: number;
  readonly textsEqual: boolean;
}

/** Runs one generation to its end. */
export async function timeGeneration(engine: Engine, request: GenerateRequest): Promise<TimedGeneration> {
  const start = performance.now();
  const ids: number[] = [];
  for await (const event of engine.generate(request)) {
    if (event.type === 'tokens') ids.push(...event.ids);
    if (event.type === 'done') return { ids, ms: performance.now() - start, stats: event.stats };
  }
  throw new Error('the engine ended a generation without a done event');
}

/**
 * Generates every request with and without speculation. Both ways take turns, request by request, and the order is
 * reversed each round, so a drift of the machine hits both alike.
 */
export async function compareSpeculation(
  engine: Engine,
  requests: readonly GenerateRequest[],
  speculation: SpeculationParams,
  rounds: number,
): Promise<Comparison> {
  const plain: TimedGeneration[][] = [];
  const speculative: TimedGeneration[][] = [];
  for (let round = 0; round < rounds; round++) {
    const [plainRound, speculativeRound]: [TimedGeneration[], TimedGeneration[]] = [[], []];
    for (const request of requests) {
      const sides = [
        async () => plainRound.push(await timeGeneration(engine, withoutSpeculation(request))),
        async () => speculativeRound.push(await timeGeneration(engine, { ...request, speculation })),
      ];
      for (const side of round % 2 === 0 ? sides : sides.reverse()) await side();
    }
    plain.push(plainRound);
    speculative.push(speculativeRound);
  }
  return summarise(plain, speculative);
}

/** The same request, decoded plainly. */
export function withoutSpeculation(request: GenerateRequest): GenerateRequest {
  return { ...request, speculation: { enabled: false, draftLength: undefined, verification: 'coupled' } };
}

function summarise(plain: TimedGeneration[][], speculative: TimedGeneration[][]): Comparison {
  const ratios = plain.map((runs, round) => totalMs(runs) / totalMs(speculative[round]!));
  const stats = speculative.flat().map((run) => run.stats);
  const steps = total(stats, (s) => s.numSpecSteps);
  const drafted = total(stats, (s) => s.numDraftTokens);
  const accepted = total(stats, (s) => s.numAcceptedTokens);
  return {
    ratios,
    ratio: median(ratios),
    plainTokensPerSecond: median(plain.map(tokensPerSecond)),
    tokensPerSecond: median(speculative.map(tokensPerSecond)),
    acceptanceLength: steps === 0 ? 1 : 1 + accepted / steps,
    acceptanceRate: drafted === 0 ? 0 : accepted / drafted,
    textsEqual: plain.flat().every((run, i) => sameIds(run.ids, speculative.flat()[i]!.ids)),
  };
}

/** Of several generations together. */
export function tokensPerSecond(runs: readonly TimedGeneration[]): number {
  return (1000 * total(runs, (run) => run.ids.length)) / totalMs(runs);
}

function totalMs(runs: readonly TimedGeneration[]): number {
  return total(runs, (run) => run.ms);
}

function total<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
