import { messageOf } from '../../lib/errors.ts';
import { type Environment, readTracingWish } from './environment.ts';
import type { RequestTracer } from './types.ts';

/** What traces need beside this package: 28 MB, and most servers send none. */
const PACKAGES = ['api@1', 'core@2', 'resources@2', 'sdk-trace-base@2'];

/** By protocol. `grpc` would need another 10 MB. */
const EXPORTERS: Readonly<Record<string, string>> = {
  'http/json': 'exporter-trace-otlp-http@0.223',
  'http/protobuf': 'exporter-trace-otlp-proto@0.223',
};

/**
 * A tracer if OpenTelemetry's variables ask for one; its packages are loaded only then. Where they are missing or of no
 * use the server works without, and `note` gets a line that says what is needed: answers matter more than traces.
 */
export async function openTracing(
  environment: Environment,
  note: (line: string) => void,
): Promise<RequestTracer | undefined> {
  const wish = readTracingWish(environment);
  if (!wish.wanted) return undefined;
  const { variable, protocol } = wish;
  const refuse = (problem: string): undefined => {
    note(`no traces are sent: ${variable} is set, but ${problem}; OTEL_SDK_DISABLED=true ends this message`);
  };
  if (!Object.hasOwn(EXPORTERS, protocol)) {
    return refuse(`the protocol ${protocol} is not supported, needs ${Object.keys(EXPORTERS).join(' or ')}`);
  }
  const packages = [...PACKAGES, EXPORTERS[protocol]].map((name) => `@opentelemetry/${name}`);
  try {
    const { createOtlpTracer } = await import('./otlp-tracer.ts');
    return await createOtlpTracer({ protocol, note });
  } catch (error) {
    return refuse(
      `loading the packages failed (${messageOf(error)}), needs npm install ${packages.join(' ')}`,
    );
  }
}
