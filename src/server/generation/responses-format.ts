import type {
  Metrics,
  OutputMessage,
  OutputText,
  ResponseEvent,
  ResponseEventBody,
  ResponseObject,
  ResponseStatus,
  ResponsesRequest,
  ResponseUsage,
  Usage,
} from '../../api/index.ts';
import type { SamplingParams } from '../../engine/types.ts';
import { type AnswerFormat, createId, type FormatContext, joinText, nowSeconds } from './format.ts';

/** Answers of /v1/responses: one message; the events in OpenAI's published order. */
export function createResponsesFormat(request: ResponsesRequest, { model }: FormatContext): AnswerFormat {
  const itemId = createId('msg_');
  const base = createBase(request, model.id);
  let sampling: SamplingParams | undefined;
  let text = '';
  let status: ResponseStatus = 'in_progress';
  const part = (): OutputText => ({ type: 'output_text', text, annotations: [], logprobs: [] });
  const message = (content: OutputText[]): OutputMessage => ({
    id: itemId,
    type: 'message',
    status,
    role: 'assistant',
    content,
  });
  const response = (
    output: OutputMessage[],
    end?: { usage: ResponseUsage; metrics: Metrics },
  ): ResponseObject => ({
    ...base,
    temperature: sampling?.temperature ?? 1,
    top_p: sampling?.topP ?? 1,
    status,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    output,
    usage: null,
    ...end,
  });
  let count = 0;
  const number = (event: ResponseEventBody): ResponseEvent => ({ ...event, sequence_number: count++ });
  const item = { output_index: 0 } as const;
  const place = { item_id: itemId, ...item, content_index: 0 } as const;
  const end = (reason: string): void => {
    status = reason === 'length' ? 'incomplete' : 'completed';
  };
  return {
    endsWithDone: false,
    eventName: (event) => ('type' in event ? String(event.type) : 'error'),
    opening(choice) {
      sampling = choice.request.sampling;
      return [
        number({ type: 'response.created', response: response([]) }),
        number({ type: 'response.in_progress', response: response([]) }),
        number({ type: 'response.output_item.added', item: message([]), ...item }),
        number({ type: 'response.content_part.added', part: part(), ...place }),
      ];
    },
    piece(_, piece) {
      if (piece.text === '') return [];
      text += piece.text;
      return [number({ type: 'response.output_text.delta', delta: piece.text, logprobs: [], ...place })];
    },
    finish(_, { reason }) {
      end(reason);
      return [
        number({ type: 'response.output_text.done', text, logprobs: [], ...place }),
        number({ type: 'response.content_part.done', part: part(), ...place }),
        number({ type: 'response.output_item.done', item: message([part()]), ...item }),
      ];
    },
    closing(usage, metrics) {
      const type = status === 'incomplete' ? 'response.incomplete' : 'response.completed';
      return [number({ type, response: response([message([part()])], { usage: toUsage(usage), metrics }) })];
    },
    failure(error) {
      const { code, message: said, param } = error;
      return number({ type: 'error', error, code, message: said, param });
    },
    answer(choices, usage, metrics) {
      for (const { choice, pieces, finish } of choices) {
        sampling = choice.request.sampling;
        text = joinText(pieces);
        end(finish.reason);
      }
      return response([message([part()])], { usage: toUsage(usage), metrics });
    },
  };
}

type Fixed = Omit<
  ResponseObject,
  'temperature' | 'top_p' | 'status' | 'incomplete_details' | 'output' | 'usage' | 'metrics'
>;

/** What is the same from the first event to the last. */
function createBase(request: ResponsesRequest, model: string): Fixed {
  return {
    id: createId('resp_'),
    object: 'response',
    created_at: nowSeconds(),
    error: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.maxTokens ?? null,
    metadata: request.metadata,
    model,
    parallel_tool_calls: true,
    previous_response_id: null,
    store: false,
    text: { format: request.textFormat },
    tool_choice: 'auto',
    tools: [],
    truncation: 'disabled',
  };
}

function toUsage({
  prompt_tokens,
  prompt_tokens_details,
  completion_tokens,
  total_tokens,
}: Usage): ResponseUsage {
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: prompt_tokens_details,
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens,
  };
}
