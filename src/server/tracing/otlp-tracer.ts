/** Loaded only where traces are wanted: all of its packages are optional. */
import { DiagLogLevel, diag, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { VERSION } from '../../lib/version.ts';
import { answerAttributes, requestAttributes } from './attributes.ts';
import type { RequestTracer } from './types.ts';

export interface OtlpTracerOptions {
  /** `http/json` or `http/protobuf`. */
  readonly protocol: string;
  /** Gets one line when the collector cannot be reached, and no other. */
  readonly note: (line: string) => void;
}

/**
 * A tracer whose collector, sampling, batches and resource are what OpenTelemetry's variables say. Errors: those of
 * importing a package that is not installed.
 */
export async function createOtlpTracer({ protocol, note }: OtlpTracerOptions): Promise<RequestTracer> {
  watchFailures(note);
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'sdfp', 'service.version': VERSION }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(await createExporter(protocol))],
  });
  const tracer = provider.getTracer('sdfp', VERSION);
  const propagator = new W3CTraceContextPropagator();
  return {
    start(request) {
      const parent = propagator.extract(ROOT_CONTEXT, request.headers, {
        keys: (headers) => [...headers.keys()],
        get: (headers, name) => headers.get(name) ?? undefined,
      });
      const options = { kind: SpanKind.SERVER, attributes: requestAttributes(request) };
      const span = tracer.startSpan(request.method, options, parent);
      return (record, status) => {
        if (record.route !== undefined) span.updateName(`${request.method} ${record.route}`);
        span.setAttributes(answerAttributes(record, status));
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      };
    },
    shutdown: () => provider.shutdown().catch((error) => diag.error(String(error))),
  };
}

async function createExporter(protocol: string): Promise<SpanExporter> {
  if (protocol === 'http/protobuf') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
    return new OTLPTraceExporter();
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  return new OTLPTraceExporter();
}

/** The library tells its failures to nobody; a collector that is down would fill a log. */
function watchFailures(note: (line: string) => void): void {
  let isTold = false;
  const ignore = (): void => {};
  const error = (message: string): void => {
    if (!isTold) note(`sending traces failed (told once): ${message.slice(0, 300)}`);
    isTold = true;
  };
  const logger = { error, warn: ignore, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
}
