import { DEFAULT_SAMPLING, DEFAULT_SPECULATION } from '../../src/engine/defaults.ts';
import { ModelEngine } from '../../src/engine/engine.ts';
import type { EngineLimits } from '../../src/engine/options.ts';
import { Profiler } from '../../src/engine/profiler.ts';
import type {
  DoneEvent,
  Engine,
  GenerateRequest,
  PromptEvent,
  SamplingParams,
  SpeculationParams,
  TokenLogprob,
  TokenOrigin,
} from '../../src/engine/types.ts';
import type { StepCosts } from '../../src/lib/speedup.ts';
import type { ScriptedModel } from '../fakes/scripted-model.ts';

/** Costs with which drafting pays: a draft step is a tenth of a target step. */
export const CHEAP_DRAFT: StepCosts = {
  draftMs: 0.1,
  draftStartMs: 0,
  targetMs: [1, 1.02, 1.04, 1.06, 1.08, 1.1, 1.12, 1.14, 1.16],
};

export function scriptedEngine(model: ScriptedModel, limits: EngineLimits = {}): ModelEngine {
  return new ModelEngine(model, new Profiler(), limits, CHEAP_DRAFT);
}

/** What differs from a greedy request of 16 tokens without speculation's choice. */
export interface RequestParts {
  readonly promptIds?: readonly number[];
  readonly maxTokens?: number;
  readonly sampling?: Partial<SamplingParams>;
  readonly speculation?: Partial<SpeculationParams>;
  readonly stopTokenIds?: readonly number[];
  readonly topLogprobs?: number;
  readonly promptLogprobs?: boolean;
  readonly group?: string;
  readonly isWarmUp?: boolean;
}

export function requestOf(parts: RequestParts = {}): GenerateRequest {
  const { promptLogprobs, group, isWarmUp } = parts;
  return {
    promptIds: parts.promptIds ?? [1, 2, 3],
    maxTokens: parts.maxTokens ?? 16,
    sampling: { ...DEFAULT_SAMPLING, temperature: 0, ...parts.sampling },
    speculation: { ...DEFAULT_SPECULATION, ...parts.speculation },
    stopTokenIds: parts.stopTokenIds ?? [],
    topLogprobs: parts.topLogprobs,
    ...(promptLogprobs === undefined ? {} : { promptLogprobs }),
    ...(group === undefined ? {} : { group }),
    ...(isWarmUp === undefined ? {} : { isWarmUp }),
  };
}

/** Everything one generation gave. */
export interface Generation {
  readonly ids: number[];
  readonly origins: TokenOrigin[];
  readonly logprobs: TokenLogprob[];
  readonly prompt: PromptEvent | undefined;
  readonly done: DoneEvent;
}

export async function collect(
  engine: Engine,
  request: GenerateRequest,
  signal?: AbortSignal,
): Promise<Generation> {
  const [ids, origins, logprobs]: [number[], TokenOrigin[], TokenLogprob[]] = [[], [], []];
  let prompt: PromptEvent | undefined;
  for await (const event of engine.generate(request, signal)) {
    if (event.type === 'prompt') prompt = event;
    if (event.type === 'done') return { ids, origins, logprobs, prompt, done: event };
    if (event.type !== 'tokens') continue;
    ids.push(...event.ids);
    origins.push(...event.origins);
    logprobs.push(...(event.logprobs ?? []));
  }
  throw new Error('no done event');
}

/** The error that a promise ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('no error');
}
