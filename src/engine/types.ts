import type { GrammarSpec } from '../grammar/index.ts';

/** How the next token is picked from the target's logits. All fields have neutral defaults (see `DEFAULT_SAMPLING`). */
export interface SamplingParams {
  /** 0 = greedy. */
  readonly temperature: number;
  /** 0 = off. */
  readonly topK: number;
  /** 1 = off. */
  readonly topP: number;
  /** 0 = off. */
  readonly minP: number;
  /** 1 = off; over prompt and generated tokens (Keskar 2019, as in transformers and vLLM). */
  readonly repetitionPenalty: number;
  /** 0 = off; over generated tokens (OpenAI). */
  readonly presencePenalty: number;
  /** 0 = off; over generated tokens (OpenAI). */
  readonly frequencyPenalty: number;
  /** Token id to amount added to its logit. */
  readonly logitBias: ReadonlyMap<number, number>;
  /** 32-bit unsigned. The same seed, prompt and parameters give the same tokens, with or without speculation. */
  readonly seed: number;
}

export interface SpeculationParams {
  readonly enabled: boolean;
  /**
   * Draft length of every round, from the model draft; without one, from prompt lookup, which may have no guess.
   * `undefined`: drafter and length are chosen per round from measured acceptance and cost, 0 included.
   */
  readonly draftLength: number | undefined;
  /**
   * `coupled`: target and draft share their noise, the text is the same with and without speculation.
   * `rejection`: Leviathan et al. 2023; the same distribution, another text.
   */
  readonly verification: 'coupled' | 'rejection';
}

/** One completion wanted of the engine. Token ids only: text, templates and stop strings live above. */
export interface GenerateRequest {
  readonly promptIds: readonly number[];
  /** Most tokens to generate. */
  readonly maxTokens: number;
  readonly sampling: SamplingParams;
  readonly speculation: SpeculationParams;
  /** Generation ends with (and includes, as the last id) one of these. Empty: runs to `maxTokens`. */
  readonly stopTokenIds: readonly number[];
  /** Undefined: no logprobs; n >= 0: the chosen token's and the n most likely ones', before temperature and filters. */
  readonly topLogprobs: number | undefined;
  /** Log probabilities of the prompt's own tokens too (`echo` with logprobs). */
  readonly promptLogprobs?: boolean;
  /** What the text must look like; a stop token ends it when it is complete. The engine needs a vocabulary for it. */
  readonly grammar?: GrammarSpec;
  /** Generations of the same group share the time and the places of one request; absent: it stands for itself. */
  readonly group?: string;
  /** Prompts of one owner take over only what the same owner's generations left in the prefix cache; absent: nobody's. */
  readonly cacheOwner?: string;
  /** It gets the model going and teaches the engine nothing: neither how often guesses are right nor what steps cost. */
  readonly isWarmUp?: boolean;
}

/**
 * Where a token came from: an accepted token of the model draft, an accepted one of prompt lookup (found earlier in the
 * text), or the target's own (first, bonus or recovered).
 */
export type TokenOrigin = 'draft' | 'lookup' | 'target';

export interface TokenLogprob {
  readonly logprob: number;
  readonly top: readonly { readonly id: number; readonly logprob: number }[];
}

/** Emitted tokens of one round. */
export interface TokensEvent {
  readonly type: 'tokens';
  readonly ids: readonly number[];
  readonly origins: readonly TokenOrigin[];
  /** One per id, if asked for. */
  readonly logprobs: readonly TokenLogprob[] | undefined;
  /** Tokens that this round drafted; callers that leave before `done` (a stop string) count with it. Absent: 0. */
  readonly numDraftTokens?: number;
  /** Prompt tokens that an earlier request had run. Absent: 0. */
  readonly numCachedTokens?: number;
  /** Milliseconds that the request had waited for its turn. */
  readonly queueMs?: number;
}

/** First event when `promptLogprobs` was asked for; entry 0 (no context) is null. */
export interface PromptEvent {
  readonly type: 'prompt';
  readonly logprobs: readonly (TokenLogprob | null)[];
}

/** Counters of one generation; vLLM's meanings. */
export interface GenerationStats {
  readonly promptTokens: number;
  /** Those of them that an earlier request had run (prefix cache). */
  readonly numCachedTokens: number;
  readonly generatedTokens: number;
  /** Rounds that drafted at least one token. */
  readonly numSpecSteps: number;
  readonly numDraftTokens: number;
  readonly numAcceptedTokens: number;
  /** Accepted drafts by position in the draft. */
  readonly acceptedPerPosition: readonly number[];
  /** Milliseconds: waiting, prompt processing, and the rounds after it. */
  readonly queueMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

export interface DoneEvent {
  readonly type: 'done';
  /** `stop`: a stop token; `length`: maxTokens or the end of the context. Cancelling raises AbortError instead. */
  readonly finishReason: 'stop' | 'length';
  readonly stats: GenerationStats;
}

export type EngineEvent = PromptEvent | TokensEvent | DoneEvent;

/** Facts that callers above the engine need. */
export interface EngineInfo {
  readonly provider: string;
  readonly vocabSize: number;
  /** Longest prompt + completion, in tokens. */
  readonly maxContextTokens: number;
  /** Whether the artifact has a model draft (a plan that drops at least one unit). Prompt lookup needs none. */
  readonly hasDraft: boolean;
}

/** Load of the engine at a moment. */
export interface EngineLoad {
  readonly running: number;
  readonly waiting: number;
}

/**
 * Token ids in, token ids out. Implemented by `src/engine` in this thread and by `src/worker` across a thread.
 * `generate` throws (on first `next()`) an SdfpError `context_length_exceeded`, `invalid_request`, `engine_busy` or `engine_closed`;
 * an aborted signal ends it with the signal's reason. Leaving the iteration early releases the sequence within one round.
 */
export interface Engine {
  readonly info: EngineInfo;
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<EngineEvent>;
  load(): EngineLoad;
  dispose(): Promise<void>;
}
