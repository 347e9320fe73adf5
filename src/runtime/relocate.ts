import { realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Path of field numbers from ModelProto to StringStringEntryProto: graph, initializer, external_data. */
const PATH_TO_ENTRY = [7, 5, 13] as const;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** A graph and the folder that all its external files lie in. */
export interface PlacedGraph {
  readonly graph: Uint8Array;
  readonly weightsDir: string;
}

/** File names of the model's external initializers, each once. Throws where the bytes are no protobuf message. */
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
 */
export function followLinks(graph: Uint8Array, files: readonly string[], weightsDir: string): PlacedGraph {
  const realDir = realpathSync(weightsDir);
  const real = new Map(files.map((file) => [file, realpathSync(join(realDir, file))]));
  const common = [...real.values()].map(dirname).reduce(commonDirectory, realDir);
  if (common === realDir) return { graph, weightsDir };
  const located = rewriteLocations(graph, (file) => relative(common, real.get(file)!));
  return { graph: located, weightsDir: common };
}

function commonDirectory(a: string, b: string): string {
  let common = a;
  while (b !== common && !b.startsWith(common.endsWith(sep) ? common : common + sep))
    common = dirname(common);
  return common;
}

/** The same model with `rename` applied to the location of every external initializer. */
export function rewriteLocations(model: Uint8Array, rename: (location: string) => string): Uint8Array {
  return rewriteMessage(model, PATH_TO_ENTRY, rename);
}

/** Copies a message field by field, descending only along `path`. */
function rewriteMessage(
  message: Uint8Array,
  path: readonly number[],
  rename: (location: string) => string,
): Uint8Array {
  const [next, ...rest] = path;
  if (next === undefined) return rewriteEntry(message, rename);
  const reader = new BinaryReader(message);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wire] = reader.tag();
    if (field === next && wire === WireType.LengthDelimited) {
      writer.tag(field, wire).bytes(rewriteMessage(reader.bytes(), rest, rename));
    } else {
      reader.skip(wire);
      writer.raw(message.subarray(start, reader.pos));
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
