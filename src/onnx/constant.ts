import type { Dtype } from './value.ts';

export type ConstantData = readonly number[] | Float32Array | Int32Array;

/** Little-endian bytes of a constant, as TensorProto.raw_data wants them. */
export function encodeConstant(data: ConstantData, dtype: Dtype): Uint8Array {
  switch (dtype) {
    case 'float32':
      return bytesOf(Float32Array.from(data));
    case 'int32':
      return bytesOf(Int32Array.from(data));
    case 'int64':
      return bytesOf(BigInt64Array.from([...data].map(BigInt)));
    case 'bool':
      return Uint8Array.from(data);
    default:
      throw new TypeError(`cannot write a ${dtype} constant, needs float32, int32, int64 or bool`);
  }
}

function bytesOf(array: Float32Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
