import type { Manifest } from '../../artifact/types.ts';
import type { SamplingParams } from '../../engine/types.ts';
import { randomSeed } from './seeds.ts';

/** What a caller says about sampling; undefined where it says nothing. */
export type SamplingChoice = {
  readonly [Name in keyof Omit<SamplingParams, 'logitBias'>]: number | undefined;
} & { readonly logitBias?: SamplingParams['logitBias'] };

/**
 * The one rule of requests and command line: the caller's choice, then the model folder's generation_config.json, then
 * neutral; without a seed a random one. A caller who asks for temperature 0 means the likeliest token: the folder's
 * recipe for sampling (top_k, top_p, repetition penalty) is then left out, and only what the caller gives beside it counts.
 * `temperature`: where neither names one.
 */
export function completeSampling(
  choice: SamplingChoice,
  folder: Manifest['generation'],
  fallback: { readonly temperature: number },
): SamplingParams {
  const recipe = choice.temperature === 0 ? undefined : folder;
  return {
    temperature: choice.temperature ?? recipe?.temperature ?? fallback.temperature,
    topP: choice.topP ?? recipe?.topP ?? 1,
    topK: choice.topK ?? recipe?.topK ?? 0,
    minP: choice.minP ?? 0,
    repetitionPenalty: choice.repetitionPenalty ?? recipe?.repetitionPenalty ?? 1,
    presencePenalty: choice.presencePenalty ?? 0,
    frequencyPenalty: choice.frequencyPenalty ?? 0,
    logitBias: choice.logitBias ?? new Map(),
    seed: choice.seed ?? randomSeed(),
  };
}
