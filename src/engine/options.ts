import type { EngineSpec } from '../artifact/engine-spec.ts';
import type { Provider } from '../runtime/index.ts';

/** What {@linkcode createEngine} needs. All of it can be sent to another thread. */
export interface EngineOptions extends EngineLimits {
  /** The ONNX graph, or where it is. */
  readonly graph: Uint8Array | { readonly path: string };
  /** Folder of the weight files that the graph points into. */
  readonly weightsDir: string;
  /** The only files that the graph may point into: those of the artifact's manifest. Default: any in that folder. */
  readonly weightFiles?: readonly string[] | undefined;
  readonly spec: EngineSpec;
  /** Execution provider; default `cpu`. */
  readonly provider?: Provider | undefined;
  /** Threads of the session; default: the runtime's choice. */
  readonly threads?: number | undefined;
}

/** Settings of an engine that do not depend on how its model is loaded. */
export interface EngineLimits {
  /** Generations that take turns; default 16. Those of one group have at most three quarters of these places. */
  readonly maxRunning?: number | undefined;
  /** Generations that wait for a place; more are refused; default 128. */
  readonly maxWaiting?: number | undefined;
  /** Most memory for the K and V of ended sequences, which prompts that begin like them take over; default 64 MiB, 0: none. */
  readonly prefixCacheBytes?: number | undefined;
  /** Probability that a draft token is accepted, as measured when the artifact was built; default 0.6. */
  readonly acceptancePrior?: number | undefined;
}
