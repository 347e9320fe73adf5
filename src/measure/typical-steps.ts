import type { LocalEngine } from '../engine/index.ts';
import type { StepCosts } from '../lib/speedup.ts';

/** Fewer where the context is short. */
const PAST_TOKENS = 128;
const RUNS = 9;
/** Steps block their thread, and with it Ctrl-C: of a large model fewer runs are made. */
const BUDGET_MS = 3000;

/** Positions in the KV cache before each of steps of up to `widest` tokens, of a model that takes `maxTokens`. */
export function typicalPast(maxTokens: number, widest: number): number {
  return Math.min(PAST_TOKENS, maxTokens - widest);
}

/** Costs of a draft step and of target steps of 1 to `widest` tokens; the least of some runs, for contention only ever adds. */
export function measureTypicalSteps(engine: LocalEngine, widest: number): StepCosts {
  const pastTokens = typicalPast(engine.info.maxContextTokens, widest);
  return engine.measureSteps({ pastTokens, widest, runs: RUNS, budgetMs: BUDGET_MS, statistic: 'least' });
}
