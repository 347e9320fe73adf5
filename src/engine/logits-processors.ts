import type { TokenHistory } from './token-history.ts';
import type { SamplingParams } from './types.ts';

/**
 * Logits after the grammar's mask, `logit_bias` and the penalties, in vLLM's order: bias, repetition, frequency and presence.
 * Returns `logits` itself where nothing changes, else `scratch`. `history` holds exactly the tokens before the position.
 */
export function processLogits(
  logits: Float32Array, // [V]
  params: SamplingParams,
  history: TokenHistory,
  scratch: Float32Array, // [V]
): Float32Array {
  if (!changesLogits(params) && history.constraint === undefined) return logits;
  scratch.set(logits);
  history.constraint?.apply(scratch);
  applyLogitBias(scratch, params.logitBias);
  applyRepetitionPenalty(scratch, params.repetitionPenalty, history);
  applyOccurrencePenalties(scratch, params, history);
  return scratch;
}

function changesLogits(params: SamplingParams): boolean {
  return (
    params.logitBias.size > 0 ||
    params.repetitionPenalty !== 1 ||
    params.presencePenalty !== 0 ||
    params.frequencyPenalty !== 0
  );
}

function applyLogitBias(logits: Float32Array, bias: ReadonlyMap<number, number>): void {
  for (const [id, amount] of bias) logits[id]! += amount;
}

/** Keskar et al. 2019: a positive logit is divided, a negative one multiplied; prompt and generated tokens. */
function applyRepetitionPenalty(logits: Float32Array, penalty: number, history: TokenHistory): void {
  if (penalty === 1) return;
  for (const id of history.promptTokens) penalise(logits, id, penalty);
  for (const id of history.generatedCounts.keys()) {
    if (!history.promptTokens.has(id)) penalise(logits, id, penalty);
  }
}

function penalise(logits: Float32Array, id: number, penalty: number): void {
  const logit = logits[id]!;
  logits[id] = logit > 0 ? logit / penalty : logit * penalty;
}

/** OpenAI: mu[j] - count[j] * frequency - (count[j] > 0) * presence, over generated tokens. */
function applyOccurrencePenalties(
  logits: Float32Array,
  { presencePenalty, frequencyPenalty }: SamplingParams,
  history: TokenHistory,
): void {
  if (presencePenalty === 0 && frequencyPenalty === 0) return;
  for (const [id, count] of history.generatedCounts) {
    logits[id]! -= count * frequencyPenalty + presencePenalty;
  }
}
