import { setImmediate } from 'node:timers/promises';
import { measureSteps } from '../../engine/measure-steps.ts';
import type { ModelRunner } from '../../engine/model.ts';
import { Profiler } from '../../engine/profiler.ts';
import { openSessionModel, type SessionModelOptions } from '../../engine/session-model.ts';
import { buildServingGraph } from '../../graph/index.ts';
import type { ModelConfig, ModelFolder } from '../../hf/index.ts';
import { SdfpError } from '../../lib/errors.ts';
import type { StepCosts } from '../../lib/speedup.ts';
import type { DraftPlan } from '../../plan/types.ts';
import { leastCosts } from '../least-costs.ts';
import { typicalPast } from '../typical-steps.ts';

/** New tokens of the target steps that are timed; those between lie on straight lines. */
export const WIDTHS = [1, 2, 3, 5, 9, 13] as const;
const WIDEST = 13;

/** Runs of each kind in a row, and how long they may take: the thread is blocked meanwhile, deaf to Ctrl-C. */
const RUNS = 4;
const BUDGET_MS = 1000;

/** How to measure. */
export interface MeasurePlanOptions {
  /** Measurements; the least counts, for contention only ever adds. */
  readonly rounds: number;
  readonly runtime: Pick<SessionModelOptions, 'provider' | 'threads'>;
  readonly signal: AbortSignal;
}

/** Throws SdfpError `invalid_request`. */
export function refuseShortContext({ maxPositions }: ModelConfig): void {
  if (maxPositions >= WIDEST) return;
  const found = `max_position_embeddings is ${maxPositions}, needs at least ${WIDEST}, the widest step`;
  throw new SdfpError('invalid_request', `measuring steps: ${found}`, { param: 'shape' });
}

/** Step costs of the graph with this draft, in a session that is opened for it; the least of the rounds. */
export async function measurePlan(
  folder: ModelFolder,
  plan: DraftPlan,
  { runtime, rounds, signal }: MeasurePlanOptions,
  onRound: (share: number) => void,
): Promise<StepCosts> {
  onRound(0);
  const { bytes: graph, spec } = buildServingGraph(folder, plan);
  const model = await openSessionModel({ graph, spec, weightsDir: folder.dir, ...runtime }, new Profiler());
  try {
    const measured: StepCosts[] = [];
    while (measured.length < rounds) {
      await setImmediate(); // Signals arrive between turns of the event loop only.
      signal.throwIfAborted();
      measured.push(measureOnce(model, pastTokensOf(folder.config)));
      onRound(measured.length / rounds);
    }
    return leastCosts(measured);
  } finally {
    await model.dispose();
  }
}

function measureOnce(model: ModelRunner, pastTokens: number): StepCosts {
  return measureSteps(model, {
    pastTokens,
    widest: WIDEST,
    widths: WIDTHS,
    runs: RUNS,
    budgetMs: BUDGET_MS,
  });
}

/** Positions in the KV cache before each step; fewer where the context is short. */
export function pastTokensOf({ maxPositions }: ModelConfig): number {
  return typicalPast(maxPositions, WIDEST);
}
