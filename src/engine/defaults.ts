import type { SamplingParams, SpeculationParams } from './types.ts';

/** Neutral sampling: the model's own distribution, nothing filtered. */
export const DEFAULT_SAMPLING: SamplingParams = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: new Map(),
  seed: 0,
};

/** Speculation where it pays, with the text of plain decoding. */
export const DEFAULT_SPECULATION: SpeculationParams = {
  enabled: true,
  draftLength: undefined,
  verification: 'coupled',
};

/** Longest draft that a caller may ask for. */
export const MAX_DRAFT_LENGTH = 16;

/** Longest model draft that the engine chooses by itself; prompt lookup costs no steps and may go to the caller's limit. */
export const MAX_CHOSEN_DRAFT_LENGTH = 12;

/** Requests running and waiting at once, unless the options say otherwise. */
export const DEFAULT_MAX_RUNNING = 16;
export const DEFAULT_MAX_WAITING = 128;

/** Memory for K and V of ended sequences, unless the options say otherwise. */
export const DEFAULT_PREFIX_CACHE_BYTES: number = 64 * 2 ** 20;

/** Most alternatives that a request may ask for per token. */
export const MAX_TOP_LOGPROBS = 20;
