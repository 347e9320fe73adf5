import * as v from 'valibot';
import { type Bounds, SAMPLING_BOUNDS } from '../lib/sampling-bounds.ts';
import { integer, size } from './fields.ts';
import { parse } from './parse.ts';
import type { GenerationDefaults } from './types.ts';

const tokenIds = v.nullish(v.union([size, v.array(size)]));
const IdsSchema = v.object({ bos_token_id: tokenIds, eos_token_id: tokenIds });
const GenerationSchema = v.object({
  ...IdsSchema.entries,
  do_sample: v.nullish(v.boolean()),
  temperature: v.nullish(within(SAMPLING_BOUNDS.temperature)),
  top_p: v.nullish(v.pipe(v.number(), v.finite(), v.minValue(0))),
  top_k: v.nullish(integer),
  repetition_penalty: v.nullish(within(SAMPLING_BOUNDS.repetitionPenalty)),
});

function within({ min, max }: Bounds): v.GenericSchema<number> {
  return v.pipe(v.number(), v.minValue(min), v.maxValue(max));
}

/**
 * Sampling defaults of a parsed generation_config.json (`undefined` if the folder has none). Ids that it does not name
 * are those of config.json; sampling values in config.json are a habit of older versions and are not read.
 */
export function parseGeneration(generationJson: unknown, configJson: unknown): GenerationDefaults {
  const own = parse(GenerationSchema, generationJson ?? {}, 'generation_config.json');
  const config = parse(IdsSchema, configJson, 'config.json');
  return {
    bosTokenId: toList(own.bos_token_id ?? config.bos_token_id)[0],
    eosTokenIds: toList(own.eos_token_id ?? config.eos_token_id),
    // do_sample false is how a folder asks for greedy decoding; absent means that it asks for nothing.
    temperature: own.do_sample === false ? 0 : (own.temperature ?? undefined),
    // transformers filters by top_p below 1 only; top_k is off at 0 there and at -1 in vLLM.
    topP: own.top_p == null ? undefined : Math.min(1, own.top_p),
    topK: own.top_k == null ? undefined : Math.max(0, own.top_k),
    repetitionPenalty: own.repetition_penalty ?? undefined,
  };
}

function toList(ids: number | readonly number[] | null | undefined): readonly number[] {
  if (ids === null || ids === undefined) return [];
  return typeof ids === 'number' ? [ids] : ids;
}
