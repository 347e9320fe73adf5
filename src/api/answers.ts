/** Wire types of what the server answers: OpenAI's, with vLLM's and our own extensions. */

/** `tool_calls` in chat only. */
export type FinishReason = 'stop' | 'length' | 'tool_calls';
/** Who found the token: the model draft, prompt lookup (it stood earlier in the text), or the target itself. */
export type Origin = 'draft' | 'lookup' | 'target';

/** Body of every error, whatever its status. */
export interface ErrorEnvelope {
  readonly error: ErrorBody;
}

export interface ErrorBody {
  readonly message: string;
  readonly type: string;
  /** Request field to blame. */
  readonly param: string | null;
  readonly code: string | null;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: {
    /** Run for an earlier request, and taken over. */
    readonly cached_tokens: number;
  };
  readonly completion_tokens_details: {
    readonly accepted_prediction_tokens: number;
    readonly rejected_prediction_tokens: number;
  };
}

/** vLLM's names and meanings. */
export interface SpeculationMetrics {
  /** Tokens per drafting round: 1 + accepted / rounds; 1 without rounds. */
  readonly mean_acceptance_length: number;
  /** Accepted / drafted; 0 without drafts. */
  readonly draft_acceptance_rate: number;
  /** Rounds that drafted at least one token. */
  readonly num_spec_steps: number;
  readonly num_draft_tokens: number;
  readonly num_accepted_draft_tokens: number;
}

export interface Metrics {
  readonly speculative_decoding: SpeculationMetrics;
}

/** Only with `return_token_ids`: one origin per id. */
export interface TokenFields {
  readonly token_ids?: readonly number[];
  readonly token_origins?: readonly Origin[];
}

export interface TopLogprob {
  readonly token: string;
  readonly logprob: number;
  /** UTF-8 bytes of the token, also of a part of a character. */
  readonly bytes: readonly number[];
}

export interface ChatLogprobs {
  readonly content: readonly (TopLogprob & { readonly top_logprobs: readonly TopLogprob[] })[];
}

/** Of text completions; lists have one entry per token. */
export interface TextLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly (number | null)[];
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
  /** Characters before each token in `text` of the whole answer. */
  readonly text_offset: readonly number[];
}

interface Head {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

interface Tail {
  readonly usage: Usage;
  readonly metrics: Metrics;
}

/** In chunks: usage is null but in the last, and absent unless asked for. */
interface ChunkTail {
  readonly usage?: Usage | null;
  readonly metrics?: Metrics;
}

/** A call of a caller's function that the model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  /** `arguments`: JSON, as text. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The first delta of a call has all fields, later ones a piece of the arguments. */
export interface ToolCallDelta {
  /** Which call of the answer. */
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments: string };
}

export interface ChatMessageAnswer {
  readonly role: 'assistant';
  /** Null beside tool calls. */
  readonly content: string | null;
  readonly refusal: null;
  readonly tool_calls?: readonly ToolCall[];
}

export interface ChatChoice extends TokenFields {
  readonly index: number;
  readonly message: ChatMessageAnswer;
  readonly logprobs: ChatLogprobs | null;
  readonly finish_reason: FinishReason;
}

export interface ChatAnswer extends Head, Tail {
  readonly object: 'chat.completion';
  readonly choices: readonly ChatChoice[];
}

export interface ChatChunkChoice extends TokenFields {
  readonly index: number;
  readonly delta: {
    readonly role?: 'assistant';
    readonly content?: string | null;
    readonly tool_calls?: readonly ToolCallDelta[];
  };
  readonly logprobs: ChatLogprobs | null;
  readonly finish_reason: FinishReason | null;
}

export interface ChatChunk extends Head, ChunkTail {
  readonly object: 'chat.completion.chunk';
  readonly choices: readonly ChatChunkChoice[];
}

export interface CompletionChoice extends TokenFields {
  readonly index: number;
  readonly text: string;
  readonly logprobs: TextLogprobs | null;
  readonly finish_reason: FinishReason;
}

export interface CompletionAnswer extends Head, Tail {
  readonly object: 'text_completion';
  readonly choices: readonly CompletionChoice[];
}

export interface CompletionChunkChoice extends Omit<CompletionChoice, 'finish_reason'> {
  readonly finish_reason: FinishReason | null;
}

export interface CompletionChunk extends Head, ChunkTail {
  readonly object: 'text_completion';
  readonly choices: readonly CompletionChunkChoice[];
}

/** A model of /v1/models. */
export interface ModelObject {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  /** Context in tokens. */
  readonly max_model_len: number;
}

export interface ModelList {
  readonly object: 'list';
  readonly data: readonly ModelObject[];
}

/** The served draft in `/plan`; lists hold unit names as `3.attn`. */
export interface PlanFacts {
  /** Name of the scoring method. */
  readonly method: string;
  readonly units: readonly { readonly name: string; readonly score: number }[];
  /** The model's own weights: as in the checkpoint, or rounded to 4 bits. */
  readonly target_precision: 'stored' | 'int4';
  /** Tokens that the model knows. */
  readonly vocab_size: number;
  /** Name of the draft; null: none is served. */
  readonly draft: string | null;
  readonly dropped: readonly string[];
  readonly int8: readonly string[];
  /** Where `target_precision` is `int4` these are computed with the model's own weights and activations of 8 bits. */
  readonly int4: readonly string[];
  /** Precision of its LM head; `int4` as above. */
  readonly head: 'shared' | 'int8' | 'int4';
  /** Tokens that it may propose, the most frequent ones where they are fewer than `vocab_size`. */
  readonly draft_vocab_size: number;
  /** Share of the block weights that the draft keeps, 0 to 1. */
  readonly kept_share: number;
  /** Accepted / drafted tokens as the build measured it; null: it did not. */
  readonly acceptance_rate: number | null;
}
