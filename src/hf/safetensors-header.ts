/** A tensor of a safetensors file, in the order in which the tensors' bytes lie. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: 'BF16' | 'F16' | 'F32' | 'U8';
  readonly shape: readonly number[];
  readonly lengthBytes: number;
}

/**
 * Length prefix and JSON of a safetensors file whose tensors follow without a gap. Filled up with spaces, so that the
 * data start on a multiple of 64 bytes. Format: https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensorsHeader(tensors: readonly HeaderTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, lengthBytes }) => {
    const start = end;
    end += lengthBytes;
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const padded = text.padEnd(Math.ceil((text.length + 8) / 64) * 64 - 8);
  const header = new Uint8Array(8 + padded.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded.length), true);
  header.set(new TextEncoder().encode(padded), 8);
  return header;
}
