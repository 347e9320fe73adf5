/** Wire types of /v1/responses: OpenAI's, with `metrics` of ours. */
import type { ErrorBody, Metrics, TopLogprob } from './answers.ts';
import type { TextFormatBody } from './responses.ts';

export type ResponseStatus = 'in_progress' | 'completed' | 'incomplete';

export interface OutputText {
  readonly type: 'output_text';
  readonly text: string;
  readonly annotations: readonly never[];
  readonly logprobs: readonly TopLogprob[];
}

export interface OutputMessage {
  readonly id: string;
  readonly type: 'message';
  readonly status: ResponseStatus;
  readonly role: 'assistant';
  readonly content: readonly OutputText[];
}

export interface ResponseUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export interface ResponseObject {
  readonly id: string;
  readonly object: 'response';
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly status: ResponseStatus;
  readonly error: null;
  readonly incomplete_details: { readonly reason: 'max_output_tokens' } | null;
  readonly instructions: string | null;
  readonly max_output_tokens: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly model: string;
  readonly output: readonly OutputMessage[];
  readonly parallel_tool_calls: boolean;
  readonly previous_response_id: null;
  readonly store: false;
  readonly temperature: number;
  readonly text: { readonly format: TextFormatBody };
  readonly tool_choice: 'auto';
  readonly tools: readonly never[];
  readonly top_p: number;
  readonly truncation: 'disabled';
  readonly usage: ResponseUsage | null;
  /** From the end on. */
  readonly metrics?: Metrics;
}

/** Where in `output` a piece of text belongs. */
interface TextPlace {
  readonly item_id: string;
  readonly output_index: number;
  readonly content_index: number;
}

interface ItemPlace {
  readonly output_index: number;
}

/** An event before it has its number. */
export type ResponseEventBody =
  | {
      readonly type:
        | 'response.created'
        | 'response.in_progress'
        | 'response.completed'
        | 'response.incomplete';
      readonly response: ResponseObject;
    }
  | ({
      readonly type: 'response.output_item.added' | 'response.output_item.done';
      readonly item: OutputMessage;
    } & ItemPlace)
  | ({
      readonly type: 'response.content_part.added' | 'response.content_part.done';
      readonly part: OutputText;
    } & TextPlace)
  | ({
      readonly type: 'response.output_text.delta';
      readonly delta: string;
      readonly logprobs: readonly TopLogprob[];
    } & TextPlace)
  | ({
      readonly type: 'response.output_text.done';
      readonly text: string;
      readonly logprobs: readonly TopLogprob[];
    } & TextPlace)
  | ({ readonly type: 'error'; readonly error: ErrorBody } & Pick<ErrorBody, 'code' | 'message' | 'param'>);

export type ResponseEvent = ResponseEventBody & { readonly sequence_number: number };
