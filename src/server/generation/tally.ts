import type { Metrics, Usage } from '../../api/index.ts';
import type { DoneEvent, TokensEvent } from '../../engine/types.ts';

/** Counters of one answer, or of all answers to a request. */
export interface Tally {
  generatedTokens: number;
  specSteps: number;
  draftTokens: number;
  acceptedTokens: number;
  /** Of the prompt, taken from the prefix cache. */
  cachedTokens: number;
}

export function createTally(): Tally {
  return { generatedTokens: 0, specSteps: 0, draftTokens: 0, acceptedTokens: 0, cachedTokens: 0 };
}

/** Counts a round of which `used` tokens belong to the answer (fewer than all after a stop string). */
export function countRound(tally: Tally, event: TokensEvent, used: number): void {
  const drafted = event.numDraftTokens ?? 0;
  tally.generatedTokens += used;
  tally.specSteps += drafted > 0 ? 1 : 0;
  tally.draftTokens += drafted;
  tally.acceptedTokens += event.origins.filter((origin) => origin !== 'target').length;
  tally.cachedTokens = event.numCachedTokens ?? 0;
}

/** The engine's own counts replace ours where it got to its end. */
export function settle(tally: Tally, { stats }: DoneEvent): void {
  tally.specSteps = stats.numSpecSteps;
  tally.draftTokens = stats.numDraftTokens;
  tally.acceptedTokens = stats.numAcceptedTokens;
}

export function addTally(sum: Tally, part: Tally): void {
  sum.generatedTokens += part.generatedTokens;
  sum.specSteps += part.specSteps;
  sum.draftTokens += part.draftTokens;
  sum.acceptedTokens += part.acceptedTokens;
  sum.cachedTokens += part.cachedTokens;
}

/** `promptTokens`: of all prompts, each counted once however many answers it has. */
export function toUsage(tally: Tally, promptTokens: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: tally.generatedTokens,
    total_tokens: promptTokens + tally.generatedTokens,
    prompt_tokens_details: { cached_tokens: Math.min(tally.cachedTokens, promptTokens) },
    completion_tokens_details: {
      accepted_prediction_tokens: tally.acceptedTokens,
      rejected_prediction_tokens: tally.draftTokens - tally.acceptedTokens,
    },
  };
}

export function toMetrics({ specSteps, draftTokens, acceptedTokens }: Tally): Metrics {
  return {
    speculative_decoding: {
      mean_acceptance_length: specSteps === 0 ? 1 : 1 + acceptedTokens / specSteps,
      draft_acceptance_rate: draftTokens === 0 ? 0 : acceptedTokens / draftTokens,
      num_spec_steps: specSteps,
      num_draft_tokens: draftTokens,
      num_accepted_draft_tokens: acceptedTokens,
    },
  };
}
