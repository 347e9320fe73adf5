import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GoldenModel, goldenDir } from '../golden/models.ts';

const folders: string[] = [];

/** Every test file that makes folders gives this to its own afterAll. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

/** An empty folder, until {@linkcode removeFolders}. */
export function emptyFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sdfp-hf-'));
  folders.push(dir);
  return dir;
}

/** A golden model's folder that a test may damage. */
export function copyModel(name: GoldenModel): string {
  const dir = emptyFolder();
  cpSync(goldenDir(name), dir, { recursive: true });
  return dir;
}

/** Changes a JSON file in place; a key set to undefined is removed. */
export function patchJson(dir: string, file: string, changes: Record<string, unknown>): void {
  const path = join(dir, file);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
}

export interface TestTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A safetensors file from its header, byte for byte as given, and its data. */
export function encodeSafetensors(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** All tensors of a safetensors file, read without any code of ours. */
export function decodeSafetensors(path: string): Map<string, TestTensor> {
  const bytes = new Uint8Array(readFileSync(path));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const tensors = new Map<string, TestTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets.map((offset) => 8 + length + offset);
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, data: bytes.slice(begin, end) });
  }
  return tensors;
}

/** Writes tensors one after the other, as the format wants it. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, TestTensor>): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.length] };
    end += data.length;
  }
  const all = new Uint8Array(end);
  let offset = 0;
  for (const { data } of tensors.values()) {
    all.set(data, offset);
    offset += data.length;
  }
  writeFileSync(path, encodeSafetensors(header, all));
}

/** What Git LFS leaves in place of a file that was not downloaded. */
export const LFS_POINTER: string = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d'.repeat(32)}\nsize 12345\n`;

/** The error of a promise that must fail. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('This should have failed.');
    },
    (error: unknown) => error,
  );
}
