/** A range, both ends included. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/**
 * What sampling can compute with: within these, logits of any model stay finite float32 numbers over any context. The
 * HTTP API allows less, as OpenAI's does.
 */
export const SAMPLING_BOUNDS: Readonly<
  Record<
    | 'temperature'
    | 'topP'
    | 'minP'
    | 'repetitionPenalty'
    | 'presencePenalty'
    | 'frequencyPenalty'
    | 'logitBias',
    Bounds
  >
> = {
  temperature: { min: 0, max: 100 },
  topP: { min: 0, max: 1 },
  minP: { min: 0, max: 1 },
  repetitionPenalty: { min: 0.01, max: 100 },
  presencePenalty: { min: -100, max: 100 },
  frequencyPenalty: { min: -100, max: 100 },
  logitBias: { min: -1e6, max: 1e6 },
};
