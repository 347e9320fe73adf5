import type { ChatRequest, CompletionRequest, GenerationOptions, Prompt } from '../../api/index.ts';
import type { GenerateRequest, SamplingParams } from '../../engine/types.ts';
import { SdfpError } from '../../lib/errors.ts';
import type { ServedModel } from '../model-host.ts';
import { deriveSeed, foldSeed, randomSeed } from './seeds.ts';

/** One answer to generate: a prompt, and which of its `n` answers. */
export interface Choice {
  readonly index: number;
  readonly request: GenerateRequest;
  readonly stop: readonly string[];
  /** Text of the prompt, if the answer begins with it. */
  readonly echo: string | undefined;
  readonly returnTokenIds: boolean;
}

/** All answers to one request, and how many prompt tokens they share. */
export interface Job {
  readonly choices: readonly Choice[];
  readonly promptTokens: number;
}

/** What chat and text completions differ in. */
interface JobInput {
  readonly prompts: readonly { readonly ids: readonly number[]; readonly echo: string | undefined }[];
  /** Undefined: what the context has left. */
  readonly maxTokens: number | undefined;
  readonly topLogprobs: number | undefined;
  readonly options: GenerationOptions;
  /** Request field to blame for the prompt. */
  readonly promptField: 'messages' | 'prompt';
}

/** Errors: SdfpError `invalid_request`, `context_length_exceeded`. */
export function chatJob(model: ServedModel, request: ChatRequest): Job {
  const text = model.text.renderChat(request.messages);
  const ids = model.text.encode(text, { addSpecialTokens: false });
  return createJob(model, {
    ...request,
    prompts: [{ ids, echo: undefined }],
    options: request,
    promptField: 'messages',
  });
}

/** Errors: SdfpError `invalid_request`, `context_length_exceeded`. */
export function completionJob(model: ServedModel, request: CompletionRequest): Job {
  const prompts = request.prompts.map((prompt) => {
    const ids = promptIds(model, prompt);
    return { ids, echo: request.echo ? promptText(model, prompt) : undefined };
  });
  return createJob(model, { ...request, prompts, options: request, promptField: 'prompt' });
}

function promptIds(model: ServedModel, prompt: Prompt): readonly number[] {
  const ids = typeof prompt === 'string' ? model.text.encode(prompt) : prompt;
  if (ids.length > 0) return ids;
  const { bosTokenId } = model.defaults;
  if (bosTokenId !== undefined) return [bosTokenId];
  throw new SdfpError('invalid_request', 'Reading the request: `prompt` has no tokens, needs at least one.', {
    param: 'prompt',
  });
}

function promptText(model: ServedModel, prompt: Prompt): string {
  return typeof prompt === 'string' ? prompt : model.text.decode(prompt);
}

function createJob(model: ServedModel, input: JobInput): Job {
  const { options } = input;
  checkIds(model, input);
  const sampling = toSampling(model, options);
  const seed = options.seed === undefined ? undefined : foldSeed(options.seed);
  const choices = input.prompts.flatMap(({ ids, echo }, promptIndex) =>
    Array.from({ length: options.choices }, (_, choice): Choice => {
      const request = {
        promptIds: ids,
        maxTokens: fitTokens(model, ids.length, input),
        sampling: { ...sampling, seed: seed === undefined ? randomSeed() : deriveSeed(seed, choice) },
        speculation: { ...options.speculation, verification: 'coupled' as const },
        stopTokenIds: options.ignoreEos ? [] : model.defaults.eosTokenIds,
        topLogprobs: input.topLogprobs,
        promptLogprobs: echo !== undefined && input.topLogprobs !== undefined,
      };
      const index = promptIndex * options.choices + choice;
      return { index, request, stop: options.stop, echo, returnTokenIds: options.returnTokenIds };
    }),
  );
  return { choices, promptTokens: input.prompts.reduce((sum, { ids }) => sum + ids.length, 0) };
}

/** Ids that the model does not have. The schemas cannot know its vocabulary. */
function checkIds(model: ServedModel, { prompts, options }: JobInput): void {
  const { vocabSize } = model.engine.info;
  const refuse = (param: string, id: number): never => {
    const problem = `\`${param}\` has the token id ${id}, needs ids under ${vocabSize}`;
    throw new SdfpError('invalid_request', `Reading the request: ${problem}.`, { param });
  };
  for (const { ids } of prompts) for (const id of ids) if (id >= vocabSize) refuse('prompt', id);
  for (const id of options.logitBias.keys()) if (id >= vocabSize) refuse('logit_bias', id);
}

/** Tokens that may be generated after a prompt of `length`: at most what the context has left. */
function fitTokens(model: ServedModel, length: number, { maxTokens, promptField: param }: JobInput): number {
  const { maxContextTokens } = model.engine.info;
  const left = maxContextTokens - length;
  if (left > 0) return Math.min(maxTokens ?? left, left);
  throw new SdfpError(
    'context_length_exceeded',
    `Reading the prompt: it has ${length} tokens, needs fewer than the context of ${maxContextTokens} tokens.`,
    { param },
  );
}

/** What the caller left open comes from generation_config.json, as in vLLM, and is neutral where that is silent. */
function toSampling({ defaults }: ServedModel, options: GenerationOptions): Omit<SamplingParams, 'seed'> {
  return {
    temperature: options.temperature ?? defaults.temperature ?? 1,
    topP: options.topP ?? defaults.topP ?? 1,
    topK: options.topK ?? defaults.topK ?? 0,
    minP: options.minP ?? 0,
    repetitionPenalty: options.repetitionPenalty ?? defaults.repetitionPenalty ?? 1,
    presencePenalty: options.presencePenalty ?? 0,
    frequencyPenalty: options.frequencyPenalty ?? 0,
    logitBias: options.logitBias,
  };
}
