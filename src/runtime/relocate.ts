import { realpathSync } from 'node:fs';
import { dirname, join, posix, relative, sep, win32 } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

type Message = 'model' | 'graph' | 'function' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'entry';

/** Message types of ONNX by the field numbers that lead to external data, wherever a graph may have it (onnx.proto). */
const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
  entry: {},
};
/** Of StringStringEntryProto. */
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** A graph and the folder that all its external files lie in. */
export interface PlacedGraph {
  readonly graph: Uint8Array;
  readonly weightsDir: string;
}

/** File names of the model's external tensors, each once. Throws where the bytes are no protobuf message. */
export function listLocations(model: Uint8Array): readonly string[] {
  const files = new Set<string>();
  rewriteLocations(model, (file) => {
    files.add(file);
    return file;
  });
  return [...files];
}

/**
 * ONNX Runtime refuses weights that a symbolic link leads out of the weights folder, which is how a Hugging Face cache
 * keeps them (`snapshots/<revision>/model.safetensors` -> `../../blobs/<hash>`). For such a folder, names the real
 * files instead, below the deepest folder that holds them all. Other folders come back unchanged.
 * Only links lead out: a graph that itself names a file outside of the folder, on whatever system, is refused.
 */
export function followLinks(graph: Uint8Array, files: readonly string[], weightsDir: string): PlacedGraph {
  for (const file of files) refuseOutside(file);
  const realDir = realpathSync(weightsDir);
  const real = new Map(files.map((file) => [file, realpathSync(join(realDir, file))]));
  const common = [...real.values()].map(dirname).reduce(commonDirectory, realDir);
  if (common === realDir) return { graph, weightsDir };
  const located = rewriteLocations(graph, (file) => relative(common, real.get(file)!));
  return { graph: located, weightsDir: common };
}

function refuseOutside(file: string): void {
  const isRelative =
    file !== '' && !posix.isAbsolute(file) && !win32.isAbsolute(file) && !/^[a-z]:/i.test(file);
  if (isRelative && !file.split(/[\\/]/).includes('..')) return;
  throw new Error(`the graph names ${JSON.stringify(file)}, needs a file of that folder`);
}

function commonDirectory(a: string, b: string): string {
  let common = a;
  while (b !== common && !b.startsWith(common.endsWith(sep) ? common : common + sep))
    common = dirname(common);
  return common;
}

/** The same model with `rename` applied to the location of every external tensor. */
export function rewriteLocations(model: Uint8Array, rename: (location: string) => string): Uint8Array {
  return rewriteMessage(model, 'model', rename);
}

/** Copies a message field by field, descending only where external data may be. */
function rewriteMessage(
  bytes: Uint8Array,
  message: Message,
  rename: (location: string) => string,
): Uint8Array {
  if (message === 'entry') return rewriteEntry(bytes, rename);
  const reader = new BinaryReader(bytes);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wire] = reader.tag();
    const inner = FIELDS[message][field];
    if (inner !== undefined && wire === WireType.LengthDelimited) {
      writer.tag(field, wire).bytes(rewriteMessage(reader.bytes(), inner, rename));
    } else {
      reader.skip(wire);
      writer.raw(bytes.subarray(start, reader.pos));
    }
  }
  return writer.finish();
}

function rewriteEntry(entry: Uint8Array, rename: (location: string) => string): Uint8Array {
  const reader = new BinaryReader(entry);
  let key = '';
  let value = '';
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === ENTRY_KEY) key = reader.string();
    else if (field === ENTRY_VALUE) value = reader.string();
    else reader.skip(wire);
  }
  const writer = new BinaryWriter();
  writer.tag(ENTRY_KEY, WireType.LengthDelimited).string(key);
  writer.tag(ENTRY_VALUE, WireType.LengthDelimited).string(key === 'location' ? rename(value) : value);
  return writer.finish();
}
