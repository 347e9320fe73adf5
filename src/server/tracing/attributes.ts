import { acceptanceRate, type GenerationRecord, type RequestRecord } from '../request-record.ts';

/** Undefined ones are left out. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | string[] | undefined>>;

/**
 * What is known when a request comes, by the names of OpenTelemetry's conventions for HTTP servers (1.45). Neither the
 * query, which may hold anything, nor the address of the caller.
 */
export function requestAttributes(request: Request): SpanAttributes {
  const { protocol, hostname, port, pathname } = new URL(request.url);
  return {
    'http.request.method': request.method,
    'url.scheme': protocol.slice(0, -1),
    'url.path': pathname.slice(0, 200),
    'server.address': hostname,
    'server.port': port === '' ? undefined : Number(port),
    'user_agent.original': request.headers.get('user-agent')?.slice(0, 200),
  };
}

/** What is known when it was answered; `status` 499: the client went away. */
export function answerAttributes(record: RequestRecord, status: number): SpanAttributes {
  return {
    'http.route': record.route,
    'http.response.status_code': status,
    'error.type': status >= 400 ? String(status) : undefined,
    ...(record.generation === undefined ? {} : generationAttributes(record, record.generation)),
  };
}

/** By OpenTelemetry's conventions for generative models (1.45); those of speculation have none and are named as in /metrics. */
function generationAttributes(record: RequestRecord, generation: GenerationRecord): SpanAttributes {
  const { model, request, promptTokens, choices, firstTokenMs, finishReasons } = generation;
  const { temperature, topK, topP } = request.sampling;
  const { tally } = record;
  return {
    'gen_ai.operation.name': record.route === '/v1/completions' ? 'text_completion' : 'chat',
    'gen_ai.provider.name': 'sdfp',
    'gen_ai.request.model': model,
    'gen_ai.request.max_tokens': request.maxTokens,
    'gen_ai.request.temperature': temperature,
    'gen_ai.request.top_p': topP,
    'gen_ai.request.top_k': topK === 0 ? undefined : topK,
    'gen_ai.request.choice.count': choices === 1 ? undefined : choices,
    'gen_ai.request.stream': record.isStream,
    'gen_ai.response.model': model,
    'gen_ai.response.finish_reasons': finishReasons.length === 0 ? undefined : finishReasons,
    // Seconds.
    'gen_ai.response.time_to_first_chunk': firstTokenMs === undefined ? undefined : firstTokenMs / 1000,
    'gen_ai.usage.input_tokens': promptTokens,
    'gen_ai.usage.output_tokens': record.tokens,
    'sdfp.spec_decode.num_draft_tokens': tally?.draftTokens,
    'sdfp.spec_decode.num_accepted_tokens': tally?.acceptedTokens,
    'sdfp.spec_decode.acceptance_rate': acceptanceRate(tally),
  };
}
