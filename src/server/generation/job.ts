import type {
  ChatRequest,
  CompletionRequest,
  GenerationOptions,
  Message,
  Prompt,
  ToolUse,
} from '../../api/index.ts';
import type { GenerateRequest } from '../../engine/types.ts';
import type { GrammarSpec } from '../../grammar/index.ts';
import { SdfpError } from '../../lib/errors.ts';
import type { ServedModel } from '../model-host.ts';
import { answerGrammar } from './answer-grammar.ts';
import { createPromptEncoder, type EncodePrompt } from './encode-prompt.ts';
import { completeSampling } from './sampling.ts';
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
  readonly promptField: 'messages' | 'input' | 'prompt';
  readonly grammar: GrammarSpec | undefined;
}

/** A conversation to go on with. */
export type Conversation = GenerationOptions &
  Pick<ChatRequest, 'maxTokens' | 'answerSchema'> & {
    readonly messages: readonly Message[];
    readonly topLogprobs?: number | undefined;
    readonly toolUse?: ToolUse;
  };

/** Request fields to blame. */
interface ChatFields {
  readonly messages: 'messages' | 'input';
  readonly format: string;
}

/** Errors: SdfpError `invalid_request`, `context_length_exceeded`. */
export async function chatJob(
  model: ServedModel,
  request: Conversation,
  {
    fields = { messages: 'messages', format: 'response_format' },
    signal,
  }: { readonly fields?: ChatFields; readonly signal?: AbortSignal } = {},
): Promise<Job> {
  const { toolCallForm } = model.text;
  const grammar = answerGrammar(request, toolCallForm, fields.format);
  const text = model.text.renderChat(request.messages, { tools: request.toolUse?.tools ?? [] });
  checkLength(model, text, fields.messages);
  const ids = await createPromptEncoder(model, signal)(text, { addSpecialTokens: false });
  return createJob(model, {
    maxTokens: request.maxTokens,
    topLogprobs: request.topLogprobs,
    prompts: [{ ids, echo: undefined }],
    options: request,
    promptField: fields.messages,
    grammar,
  });
}

/** Errors: SdfpError `invalid_request`, `context_length_exceeded`. */
export async function completionJob(
  model: ServedModel,
  request: CompletionRequest,
  signal?: AbortSignal,
): Promise<Job> {
  for (const prompt of request.prompts) if (typeof prompt === 'string') checkLength(model, prompt, 'prompt');
  const encode = createPromptEncoder(model, signal);
  const prompts: JobInput['prompts'][number][] = [];
  for (const prompt of request.prompts) {
    const ids = await promptIds(model, prompt, encode);
    prompts.push({ ids, echo: request.echo ? promptText(model, prompt) : undefined });
  }
  const grammar = answerGrammar(request, model.text.toolCallForm, 'response_format');
  return createJob(model, { ...request, prompts, options: request, promptField: 'prompt', grammar });
}

async function promptIds(
  model: ServedModel,
  prompt: Prompt,
  encode: EncodePrompt,
): Promise<readonly number[]> {
  const ids = typeof prompt === 'string' ? await encode(prompt, { addSpecialTokens: true }) : prompt;
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
  const { options, grammar } = input;
  checkIds(model, input);
  // OpenAI's and vLLM's temperature where nobody names one.
  const sampling = completeSampling(options, model.defaults, { temperature: 1 });
  const seed = options.seed === undefined ? undefined : foldSeed(options.seed);
  const group = crypto.randomUUID();
  const choices = input.prompts.flatMap(({ ids, echo }, promptIndex) =>
    Array.from({ length: options.choices }, (_, choice): Choice => {
      const request = {
        promptIds: ids,
        maxTokens: fitTokens(model, ids.length, input),
        sampling: { ...sampling, seed: seed === undefined ? randomSeed() : deriveSeed(seed, choice) },
        speculation: options.speculation,
        // A grammar says itself where the text may end.
        stopTokenIds: options.ignoreEos && grammar === undefined ? [] : model.defaults.eosTokenIds,
        topLogprobs: input.topLogprobs,
        group,
        promptLogprobs: echo !== undefined && input.topLogprobs !== undefined,
        ...(grammar === undefined ? {} : { grammar }),
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

/** Refuses a text that cannot fit, however it is encoded: encoding it would take seconds. */
function checkLength(model: ServedModel, { length }: string, param: JobInput['promptField']): void {
  const { maxContextTokens } = model.engine.info;
  const { maxUnitsPerToken = Number.POSITIVE_INFINITY } = model.text;
  const least = Math.ceil(length / maxUnitsPerToken);
  if (least < maxContextTokens) return;
  const found = `it has ${length} UTF-16 units, at least ${least} tokens`;
  throw contextExceeded(found, maxContextTokens, param);
}

/** Tokens that may be generated after a prompt of `length`: at most what the context has left. */
function fitTokens(model: ServedModel, length: number, { maxTokens, promptField: param }: JobInput): number {
  const { maxContextTokens } = model.engine.info;
  const left = maxContextTokens - length;
  if (left > 0) return Math.min(maxTokens ?? left, left);
  throw contextExceeded(`it has ${length} tokens`, maxContextTokens, param);
}

function contextExceeded(found: string, maxContextTokens: number, param: string): SdfpError {
  const message = `Reading the prompt: ${found}, needs fewer than the context of ${maxContextTokens} tokens.`;
  return new SdfpError('context_length_exceeded', message, { param });
}
