import { messageOf, SdfpError } from '../lib/errors.ts';
import { describeProcessor } from '../lib/processor.ts';
import { loadBinding, type NativeBinding, type NativeSession, type TensorLike } from './binding.ts';
import { followLinks, listLocations, type PlacedGraph } from './relocate.ts';

export type Provider = 'cpu' | 'cuda' | 'webgpu';

export interface OpenSessionOptions {
  /** Bytes of an ONNX model. */
  readonly graph: Uint8Array;
  /** Folder of the files that the model's external initializers name. */
  readonly weightsDir: string;
  /** The only files that the model may name, relative to `weightsDir`; any in that folder by default. */
  readonly weightFiles?: readonly string[];
  /** Execution provider, `cpu` by default. What it does not implement runs on the CPU. */
  readonly provider?: Provider;
  /**
   * Threads within an operator. Default: ONNX Runtime's own choice (one per physical core), or one per core that the process may
   * use where these are fewer.
   */
  readonly threads?: number;
  /** Session configuration entries by ONNX Runtime's key, e.g. `session.force_spinning_stop`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Graph optimizations, `all` by default; weights are folded and packed from `basic` on. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Plan memory per combination of input shapes, on by default; off saves memory where every run has other shapes. */
  readonly memoryPattern?: boolean;
  /** Path prefix of a profile that ONNX Runtime writes when the session ends. */
  readonly profilePrefix?: string;
}

/** A loaded model. It belongs to the thread that opened it, and holds native memory until `dispose`. */
export interface Session {
  readonly provider: Provider;
  /**
   * Runs the graph and returns the outputs named in `fetches`. Blocks the thread until done; outputs are copies.
   * Throws SdfpError `runtime_failed` with ONNX Runtime's error as cause.
   */
  run(
    feeds: Readonly<Record<string, TensorLike>>,
    fetches: readonly string[],
  ): Readonly<Record<string, TensorLike>>;
  /** Frees the native memory; more calls do nothing. */
  dispose(): void;
}

/**
 * Loads a model. Blocks the thread while ONNX Runtime folds and packs the weights (about a second per 500 MB).
 * Throws SdfpError `provider_unavailable` or `runtime_failed`.
 */
export async function openSession(options: OpenSessionOptions): Promise<Session> {
  const provider = options.provider ?? 'cpu';
  const native = loadNative();
  requireBackend(native, provider);
  const session = new native.binding.InferenceSession();
  const placed = placeWeights(options);
  try {
    const { buffer, byteOffset, byteLength } = placed.graph;
    session.loadModel(buffer, byteOffset, byteLength, nativeOptions(options, provider, placed.weightsDir));
  } catch (cause) {
    throw openError(native, provider, cause);
  }
  return new OrtSession(provider, session, options.profilePrefix !== undefined);
}

class OrtSession implements Session {
  readonly provider: Provider;
  #native: NativeSession | undefined;
  readonly #isProfiling: boolean;
  /** One fetch list per distinct `fetches` array, so that a run allocates nothing for it. */
  readonly #fetches = new WeakMap<readonly string[], Readonly<Record<string, null>>>();

  constructor(provider: Provider, native: NativeSession, isProfiling: boolean) {
    this.provider = provider;
    this.#native = native;
    this.#isProfiling = isProfiling;
  }

  run(feeds: Readonly<Record<string, TensorLike>>, fetches: readonly string[]): Record<string, TensorLike> {
    if (this.#native === undefined) {
      throw new SdfpError(
        'runtime_failed',
        'Running a graph: its session was disposed of, needs an open one.',
      );
    }
    let wanted = this.#fetches.get(fetches);
    if (wanted === undefined) {
      wanted = Object.fromEntries(fetches.map((name) => [name, null]));
      this.#fetches.set(fetches, wanted);
    }
    try {
      return this.#native.run(feeds, wanted, {});
    } catch (cause) {
      throw runtimeError('Running the graph', cause);
    }
  }

  dispose(): void {
    if (this.#isProfiling) this.#native?.endProfiling();
    this.#native?.dispose();
    this.#native = undefined;
  }
}

function loadNative(): NativeBinding {
  try {
    return loadBinding();
  } catch (cause) {
    throw new SdfpError(
      'provider_unavailable',
      `Loading onnxruntime-node for ${process.platform} ${process.arch}: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

function requireBackend(native: NativeBinding, provider: Provider): void {
  const names = native.binding.listSupportedBackends().map(({ name }) => name);
  if (!names.includes(provider)) throw unavailable(native, provider, 'it is not built in');
}

function placeWeights({ graph, weightsDir, weightFiles }: OpenSessionOptions): PlacedGraph {
  const files = attempt('reading the graph', () => listLocations(graph));
  return attempt(`finding its weights in ${weightsDir}`, () => {
    const unlisted =
      weightFiles === undefined ? undefined : files.find((file) => !weightFiles.includes(file));
    if (unlisted === undefined) return followLinks(graph, files, weightsDir);
    throw new Error(`the graph names ${JSON.stringify(unlisted)}, needs one of ${weightFiles?.join(', ')}`);
  });
}

function attempt<T>(action: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const message = `Opening a session: ${action} failed: ${messageOf(cause)}.`;
    throw new SdfpError('runtime_failed', message, { cause });
  }
}

function nativeOptions(options: OpenSessionOptions, provider: Provider, weightsDir: string): object {
  return {
    executionProviders: [provider],
    graphOptimizationLevel: options.optimization ?? 'all',
    executionMode: 'sequential',
    // Fatal only: whatever goes wrong is thrown, with the same text.
    logSeverityLevel: 4,
    interOpNumThreads: 1,
    enableMemPattern: options.memoryPattern ?? true,
    ...threadOptions(options.threads),
    ...(options.profilePrefix === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
    extra: { ...options.config, 'session.model_external_initializers_file_folder_path': weightsDir },
  };
}

function threadOptions(threads: number | undefined): object {
  const count = threads ?? describeProcessor().defaultThreads;
  return count === undefined ? {} : { intraOpNumThreads: count };
}

function openError(native: NativeBinding, provider: Provider, cause: unknown): SdfpError {
  // ONNX Runtime has no error code for a provider that cannot start; its message names the library or adapter.
  const isProvider = /providers?_(cuda|shared)|CUDA|WebGPU|GPU adapter|Execution ?Provider/i.test(
    messageOf(cause),
  );
  if (provider !== 'cpu' && isProvider) return unavailable(native, provider, messageOf(cause), cause);
  return runtimeError('Opening a session', cause);
}

function unavailable(native: NativeBinding, provider: Provider, found: string, cause?: unknown): SdfpError {
  const backends = native.binding.listSupportedBackends();
  const bundled = backends.filter((backend) => backend.bundled).map(({ name }) => name);
  return new SdfpError(
    'provider_unavailable',
    `Using the execution provider ${provider}: ${found}. Bundled here: ${bundled.join(', ')}.`,
    { cause, param: 'provider' },
  );
}

function runtimeError(action: string, cause: unknown): SdfpError {
  const message = messageOf(cause);
  const node = /Name:\s*'([^']+)'|[Nn]ode \(([^)]+)\)/.exec(message);
  const at = node === null ? '' : ` at node ${node[1] ?? node[2]}`;
  return new SdfpError('runtime_failed', `${action} failed${at}: ${message}`, { cause });
}
