import type { TensorLike } from './binding.ts';

/** float32 tensor over `data`, which is not copied. */
export function floatTensor(data: Float32Array, dims: readonly number[]): TensorLike {
  return { type: 'float32', dims, data, location: 'cpu' };
}

/** int32 tensor over `data`, which is not copied. */
export function intTensor(data: Int32Array, dims: readonly number[]): TensorLike {
  return { type: 'int32', dims, data, location: 'cpu' };
}

/** bool [1] */
export function boolTensor(value: boolean): TensorLike {
  return { type: 'bool', dims: [1], data: Uint8Array.of(value ? 1 : 0), location: 'cpu' };
}
