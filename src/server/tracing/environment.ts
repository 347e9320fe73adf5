/** What OpenTelemetry's variables ask for. */
export type TracingWish =
  | { readonly wanted: false }
  | {
      readonly wanted: true;
      /** The variable that asks for it, to name in messages. */
      readonly variable: string;
      /** As the variables have it; those of the OpenTelemetry specification are `http/json`, `http/protobuf` and `grpc`. */
      readonly protocol: string;
    };

export type Environment = Readonly<Record<string, string | undefined>>;

/** Empty ones count as unset, as the specification says. */
const ASKING = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

/** Traces are wanted where an endpoint is named, or the exporter `otlp`, and nothing switches them off. */
export function readTracingWish(environment: Environment): TracingWish {
  const exporters = (environment.OTEL_TRACES_EXPORTER || '').split(',').map((name) => name.trim());
  const isOff = environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' || exporters.includes('none');
  const endpoint = ASKING.find((name) => Boolean(environment[name]));
  const variable = endpoint ?? (exporters.includes('otlp') ? 'OTEL_TRACES_EXPORTER' : undefined);
  if (isOff || variable === undefined) return { wanted: false };
  const protocol =
    environment.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || environment.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/json';
  return { wanted: true, variable, protocol };
}
