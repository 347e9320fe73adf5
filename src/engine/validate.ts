import { SdfpError } from '../lib/errors.ts';
import { SAMPLING_BOUNDS } from '../lib/sampling-bounds.ts';
import { MAX_DRAFT_LENGTH, MAX_TOP_LOGPROBS } from './defaults.ts';
import type { GenerateRequest, SamplingParams } from './types.ts';

/** The model's limits that a request is held against. */
export interface RequestLimits {
  readonly vocabSize: number;
  readonly maxContextTokens: number;
}

/** Throws `invalid_request` with `param`, or `context_length_exceeded`, where the engine cannot do what is asked. */
export function checkRequest(request: GenerateRequest, limits: RequestLimits): void {
  checkPrompt(request, limits);
  checkSampling(request.sampling, limits.vocabSize);
  const { draftLength, verification } = request.speculation;
  if (draftLength !== undefined) checkInteger('draftLength', draftLength, 0, MAX_DRAFT_LENGTH);
  if (verification !== 'coupled' && verification !== 'rejection') {
    throw invalid('verification', `${verification}`, "'coupled' or 'rejection'");
  }
  if (request.topLogprobs !== undefined)
    checkInteger('topLogprobs', request.topLogprobs, 0, MAX_TOP_LOGPROBS);
  for (const id of request.stopTokenIds) checkToken('stopTokenIds', id, limits.vocabSize);
}

function checkPrompt({ promptIds, maxTokens }: GenerateRequest, limits: RequestLimits): void {
  checkInteger('maxTokens', maxTokens, 0, Number.MAX_SAFE_INTEGER);
  if (promptIds.length === 0) throw invalid('promptIds', 'no token', 'at least one');
  for (const id of promptIds) checkToken('promptIds', id, limits.vocabSize);
  const needed = promptIds.length + Math.min(1, maxTokens);
  if (needed <= limits.maxContextTokens) return;
  throw new SdfpError(
    'context_length_exceeded',
    `cannot generate: the prompt has ${promptIds.length} tokens and the model's context ends at ` +
      `${limits.maxContextTokens}, prompt and completion together; shorten the prompt to ` +
      `${limits.maxContextTokens - 1} tokens or fewer`,
    { param: 'promptIds' },
  );
}

function checkSampling(sampling: SamplingParams, vocabSize: number): void {
  checkNumber('temperature', sampling.temperature);
  checkInteger('topK', sampling.topK, 0, Number.MAX_SAFE_INTEGER);
  checkNumber('topP', sampling.topP);
  checkNumber('minP', sampling.minP);
  checkNumber('repetitionPenalty', sampling.repetitionPenalty);
  checkNumber('presencePenalty', sampling.presencePenalty);
  checkNumber('frequencyPenalty', sampling.frequencyPenalty);
  checkInteger('seed', sampling.seed, 0, 2 ** 32 - 1);
  for (const [id, amount] of sampling.logitBias) {
    checkToken('logitBias', id, vocabSize);
    checkNumber('logitBias', amount);
  }
}

function checkToken(param: string, id: number, vocabSize: number): void {
  checkInteger(param, id, 0, vocabSize - 1);
}

function checkInteger(param: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(param, `${value}`, `a whole number from ${least} to ${most}`);
}

/** NaN fails both comparisons. */
function checkNumber(param: keyof typeof SAMPLING_BOUNDS, value: number): void {
  const { min, max } = SAMPLING_BOUNDS[param];
  if (value >= min && value <= max) return;
  throw invalid(param, `${value}`, `a number from ${min} to ${max}`);
}

function invalid(param: string, found: string, needed: string): SdfpError {
  return new SdfpError('invalid_request', `cannot generate: ${param} is ${found}; it must be ${needed}`, {
    param,
  });
}
