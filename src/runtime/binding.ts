import { createRequire } from 'node:module';

/** Element types that cross the boundary; booleans are bytes of 0 and 1. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/**
 * A tensor over an array in JavaScript memory, which a run reads where it lies. The array is what costs: keep and refill
 * it; the tensor around it may be made anew for every run.
 */
export interface TensorLike {
  readonly type: 'float32' | 'int32' | 'int64' | 'bool';
  readonly dims: readonly number[];
  readonly data: TensorData;
  readonly location: 'cpu';
}

export interface NativeSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  run(
    feeds: Readonly<Record<string, TensorLike>>,
    fetches: Readonly<Record<string, null>>,
    options: object,
  ): Record<string, TensorLike>;
  endProfiling(): void;
  dispose(): void;
}

export interface NativeBinding {
  readonly binding: {
    readonly InferenceSession: new () => NativeSession;
    /** Providers that this copy was built with; `bundled`: their libraries came with the package. */
    listSupportedBackends(): readonly { readonly name: string; readonly bundled: boolean }[];
  };
  initOrt(): void;
}

/**
 * The synchronous half of onnxruntime-node, which its public API wraps in a promise per run. Not public: hence the
 * pinned version. Loaded on first use, so that importing this package costs nothing and needs no native library.
 */
export function loadBinding(): NativeBinding {
  const native: NativeBinding = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js');
  native.initOrt();
  return native;
}
