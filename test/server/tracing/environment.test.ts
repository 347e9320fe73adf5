import { expect, test } from 'bun:test';
import { readTracingWish } from '../../../src/server/tracing/environment.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

test.each([
  [{}],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  [{ OTEL_SERVICE_NAME: 'mine' }],
  [{ ...endpoint, OTEL_SDK_DISABLED: 'True' }],
  [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
])('%j asks for no traces', (environment) => {
  expect(readTracingWish(environment)).toEqual({ wanted: false });
});

test.each([
  [endpoint, 'OTEL_EXPORTER_OTLP_ENDPOINT', 'http/json'],
  [{ ...endpoint, OTEL_SDK_DISABLED: 'false' }, 'OTEL_EXPORTER_OTLP_ENDPOINT', 'http/json'],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'OTEL_TRACES_EXPORTER', 'http/json'],
  [
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://a/b', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'http/protobuf',
  ],
  [
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' },
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'grpc',
  ],
])('%j asks for traces', (environment, variable, protocol) => {
  expect(readTracingWish(environment)).toEqual({ wanted: true, variable, protocol });
});
