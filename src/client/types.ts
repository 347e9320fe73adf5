/**
 * Types of the client. What travels on the wire keeps its wire name (snake_case, OpenAI's and vLLM's words); what the
 * client makes itself is camelCase. Optional fields accept `undefined`, which is not sent.
 */
import type { FinishReason, Origin, SpeculationMetrics, Usage } from '../api/answers.ts';

export type { FinishReason, SpeculationMetrics, Usage };

/**
 * Where a token came from: proposed by the draft, or looked up earlier in the text, and accepted; or the target's own
 * (bonus, recovered or plain).
 */
export type TokenOrigin = Origin;

/** Extension of the request: how the server may speculate. */
export interface SpeculativeParams {
  readonly enabled?: boolean | undefined;
  /** Tokens proposed in every round, 1 to 16 (fewer where the server only has prompt lookup); without it the server chooses, 0 included. */
  readonly draft_tokens?: number | undefined;
}

/** Fields that both kinds of request share. Defaults and ranges are the server's. */
export interface GenerationParams {
  readonly model?: string | undefined;
  readonly max_tokens?: number | undefined;
  /** 0 is greedy. */
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly top_k?: number | undefined;
  readonly min_p?: number | undefined;
  readonly presence_penalty?: number | undefined;
  readonly frequency_penalty?: number | undefined;
  readonly repetition_penalty?: number | undefined;
  /** Token id to a value added to its logit, -100 to 100. */
  readonly logit_bias?: Readonly<Record<string, number>> | undefined;
  /** The same seed gives the same text, with speculation or without. */
  readonly seed?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  readonly user?: string | undefined;
  /** Go on to `max_tokens` past the end-of-sequence token. */
  readonly ignore_eos?: boolean | undefined;
  readonly speculative?: SpeculativeParams | undefined;
  /** Ask for token ids and origins; the client asks unless this is `false`. */
  readonly return_token_ids?: boolean | undefined;
}

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
}

/** Body of `POST /v1/chat/completions`. */
export interface ChatParams extends GenerationParams {
  readonly messages: readonly ChatMessage[];
}

/** Body of `POST /v1/completions`: a text, or token ids. */
export interface CompletionParams extends GenerationParams {
  readonly prompt: string | readonly number[];
}

/** A piece of text. It never ends inside a character. */
export interface TextEvent {
  readonly type: 'text';
  /** May be empty: a token's text can be held back until the next one completes it. */
  readonly text: string;
  /** Empty with `return_token_ids: false`. */
  readonly tokenIds: readonly number[];
  /** One entry per token id. */
  readonly origins: readonly TokenOrigin[];
}

/** A whole answer, and how it ended. */
export interface CompletionResult {
  readonly text: string;
  readonly tokenIds: readonly number[];
  readonly origins: readonly TokenOrigin[];
  /** Absent, as what follows, only if the server did not say. */
  readonly finishReason?: FinishReason | null | undefined;
  readonly usage?: Usage | null | undefined;
  readonly speculation?: SpeculationMetrics | undefined;
  /** The server's `x-request-id`, to be named when asking its operator. */
  readonly requestId?: string | null | undefined;
}

/** The last event of every stream that did not fail; it holds the whole answer. */
export interface EndEvent extends CompletionResult {
  readonly type: 'end';
}

/** What a stream yields: texts, then one end. */
export type CompletionEvent = TextEvent | EndEvent;

/**
 * Events of one request, once. The request starts with the first step of the loop; leaving the loop cancels it.
 * Errors: `ClientError`, or the signal's reason after an abort.
 */
export interface CompletionStream extends AsyncIterable<CompletionEvent> {
  /** Runs the request to its end and returns all of it. */
  collect(): Promise<CompletionResult>;
}

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of `createClient`. */
export interface ClientOptions {
  /** Where the server is, for example `https://example.com`; a path before `/v1` is kept, an ending `/v1` is not needed. */
  readonly baseUrl: string | URL;
  readonly apiKey?: string | undefined;
  /** Used in place of the global `fetch`. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Repeats after 429, 503 or a network failure, before the first event only. Default 2. */
  readonly maxRetries?: number | undefined;
  /** Delay before the first repeat; doubles each time. Default 500. A server's `Retry-After` replaces it. */
  readonly retryDelayMs?: number | undefined;
  /** No delay is longer; a `Retry-After` beyond it fails at once. Default 30,000. */
  readonly maxRetryDelayMs?: number | undefined;
  /**
   * Go on with a stream that broke off, where the server still holds it (`SDFP_RESUME_MS`): no text is lost, none comes
   * twice. Default false, since a server notices late that a client is gone for good (a closed tab).
   */
  readonly resume?: boolean | undefined;
}

/** A client of one server. It holds nothing that needs closing. */
export interface Client {
  /** Streams an answer to a conversation. */
  chat(params: ChatParams, options?: CallOptions): CompletionStream;
  /** Streams a continuation of a text. */
  complete(params: CompletionParams, options?: CallOptions): CompletionStream;
}
