import { setTimeout as sleep } from 'node:timers/promises';

/** One attribute value of OTLP's JSON. */
interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status?: { readonly code?: number };
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

export interface ReceivedSpan extends Omit<OtlpSpan, 'attributes'> {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of the process that sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A collector that takes OTLP over HTTP and keeps it. */
export interface Collector extends Disposable {
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Bodies that were not JSON, with their content type. */
  readonly others: readonly { readonly type: string; readonly body: string }[];
  /** The first span of a name; waits up to ten seconds for it. */
  spanOf(name: string): Promise<ReceivedSpan>;
}

export function startCollector(): Collector {
  const spans: ReceivedSpan[] = [];
  const others: { type: string; body: string }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      if (new URL(request.url).pathname !== '/v1/traces') return new Response('', { status: 404 });
      const type = request.headers.get('content-type') ?? '';
      if (type === 'application/json') spans.push(...readSpans(await request.json()));
      else others.push({ type, body: Buffer.from(await request.arrayBuffer()).toString('latin1') });
      return Response.json({});
    },
  });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    spans,
    others,
    async spanOf(name) {
      for (let i = 0; i < 200; i++) {
        const span = spans.find((each) => each.name === name);
        if (span !== undefined) return span;
        await sleep(50);
      }
      throw new Error(`no span ${name} among ${spans.map((span) => span.name).join(', ')}`);
    },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

function readSpans({ resourceSpans }: OtlpRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        ...span,
        attributes: readAttributes(span.attributes),
        resource: readAttributes(resource.attributes),
      })),
  );
}

function readAttributes(list: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, readValue(value)]));
}

function readValue(value: AnyValue): unknown {
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(readValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? Number(value.intValue);
}
