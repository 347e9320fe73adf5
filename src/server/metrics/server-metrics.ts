import type { EngineEvent, TokensEvent } from '../../engine/types.ts';
import type { ModelHost } from '../model-host.ts';
import { createCounter, createGauge, createHistogram, type Metric, renderMetrics } from './registry.ts';

/** Counts what the engine does for the requests of one app. vLLM's names with our prefix. */
export interface ServerMetrics {
  /** Passes the events of one generation on and counts them. */
  watch(this: void, events: AsyncIterable<EngineEvent>, promptTokens: number): AsyncGenerator<EngineEvent>;
  /** Prometheus text. */
  render(): string;
}

/** Seconds; from a token of a small model to a long queue. */
const LATENCIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** `residentMemoryBytes`: of this process, where the runtime tells. */
export function createServerMetrics(host: ModelHost, residentMemoryBytes?: () => number): ServerMetrics {
  const meters = createMeters();
  const gauges = createGauges(host, residentMemoryBytes);
  return {
    watch: (events, promptTokens) => watch(events, promptTokens, meters),
    render: () => renderMetrics([...gauges, ...Object.values(meters)]),
  };
}

type Meters = ReturnType<typeof createMeters>;

function createMeters() {
  return {
    promptTokens: createCounter('sdfp_prompt_tokens_total', 'Prompt tokens processed.'),
    generatedTokens: createCounter('sdfp_generation_tokens_total', 'Tokens generated.'),
    drafts: createCounter('sdfp_spec_decode_num_drafts_total', 'Rounds that drafted at least one token.'),
    draftTokens: createCounter('sdfp_spec_decode_num_draft_tokens_total', 'Tokens drafted.'),
    acceptedTokens: createCounter('sdfp_spec_decode_num_accepted_tokens_total', 'Draft tokens accepted.'),
    acceptedPerPosition: createCounter(
      'sdfp_spec_decode_num_accepted_tokens_per_pos_total',
      'Draft tokens accepted, by position in the draft.',
      'position',
    ),
    prefixCacheHits: createCounter(
      'sdfp_prefix_cache_hits_total',
      'Prompt tokens taken from the prefix cache: an earlier request had run them.',
    ),
    firstToken: createHistogram(
      'sdfp_time_to_first_token_seconds',
      'From the start of a generation to its first token, waiting included.',
      LATENCIES,
    ),
    interToken: createHistogram(
      'sdfp_inter_token_latency_seconds',
      'Time per token after the first round.',
      LATENCIES,
    ),
    queue: createHistogram(
      'sdfp_request_queue_time_seconds',
      'Time that a generation waited for its turn (all of its time, if it ended before its first token).',
      LATENCIES,
    ),
  };
}

function createGauges(host: ModelHost, residentMemoryBytes: (() => number) | undefined): Metric[] {
  const load = () => host.model?.engine.load() ?? { running: 0, waiting: 0 };
  return [
    createGauge('sdfp_num_requests_running', 'Generations running.', () => ({ value: load().running })),
    createGauge('sdfp_num_requests_waiting', 'Generations waiting.', () => ({ value: load().waiting })),
    createGauge('sdfp_model_info', 'The model that is served; always 1.', () => {
      const { model } = host;
      return model && { value: 1, labels: { model: model.id, provider: model.engine.info.provider } };
    }),
    createGauge('process_resident_memory_bytes', 'Resident memory of the process.', () => {
      return residentMemoryBytes && { value: residentMemoryBytes() };
    }),
  ];
}

/** Whatever ends a generation (its end, a stop string, a client that leaves, a failure), its waiting is counted once. */
async function* watch(
  events: AsyncIterable<EngineEvent>,
  promptTokens: number,
  meters: Meters,
): AsyncGenerator<EngineEvent> {
  const startedMs = performance.now();
  let lastMs = startedMs;
  let hasStarted = false;
  let isFirst = true;
  const start = (queueMs: number): void => {
    if (hasStarted) return;
    hasStarted = true;
    meters.queue.observe(queueMs / 1000);
    meters.promptTokens.add(promptTokens);
  };
  try {
    for await (const event of events) {
      start(event.type === 'tokens' ? (event.queueMs ?? 0) : 0);
      if (event.type === 'tokens') {
        const seconds = (performance.now() - lastMs) / 1000;
        if (isFirst) meters.prefixCacheHits.add(event.numCachedTokens ?? 0);
        if (isFirst) meters.firstToken.observe(seconds);
        else meters.interToken.observe(seconds / event.ids.length, event.ids.length);
        isFirst = false;
        countTokens(event, meters);
      }
      yield event;
      // After the yield: the time that a slow client takes is not the engine's.
      if (event.type === 'tokens') lastMs = performance.now();
    }
  } finally {
    if (!hasStarted) meters.queue.observe((performance.now() - startedMs) / 1000);
  }
}

function countTokens(event: TokensEvent, meters: Meters): void {
  const accepted = event.origins.filter((origin) => origin !== 'target').length;
  const drafted = event.numDraftTokens ?? 0;
  meters.generatedTokens.add(event.ids.length);
  meters.drafts.add(drafted > 0 ? 1 : 0);
  meters.draftTokens.add(drafted);
  meters.acceptedTokens.add(accepted);
  for (let position = 0; position < accepted; position++) meters.acceptedPerPosition.add(1, String(position));
}
