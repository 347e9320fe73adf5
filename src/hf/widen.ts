import type { StoredDtype } from './types.ts';

export const STORED_BYTES: Readonly<Record<StoredDtype, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Widens `bits.length` 16-bit floats into `target`; exact, NaN payloads included for BF16. */
export function widen(dtype: 'F16' | 'BF16', bits: Uint16Array, target: Float32Array): void {
  if (dtype === 'BF16') widenBf16(bits, target);
  else widenF16(bits, target);
}

/** A bfloat16 is the upper half of a float32. */
function widenBf16(bits: Uint16Array, target: Float32Array): void {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
}

function widenF16(bits: Uint16Array, target: Float32Array): void {
  for (let i = 0; i < bits.length; i++) target[i] = halfToFloat(bits[i]!);
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits with bias 15, 10 fraction bits. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
