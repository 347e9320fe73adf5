import {
  DEFAULT_SAMPLING,
  DEFAULT_SPECULATION,
  type GenerateRequest,
  type SpeculationParams,
} from '../engine/index.ts';

/** What requests that are measured differ in. */
export interface MeasuredRequest {
  readonly promptIds: readonly number[];
  /** Generated whatever the text: end tokens are passed, so that every request does the same work. */
  readonly tokens: number;
  readonly temperature: number;
  readonly seed: number;
  /** Default: what the engine chooses. */
  readonly speculation?: SpeculationParams;
}

/** A request to be timed. */
export function measuredRequest({
  promptIds,
  tokens,
  temperature,
  seed,
  speculation = DEFAULT_SPECULATION,
}: MeasuredRequest): GenerateRequest {
  const sampling = { ...DEFAULT_SAMPLING, temperature, seed };
  return { promptIds, maxTokens: tokens, sampling, speculation, stopTokenIds: [], topLogprobs: undefined };
}
