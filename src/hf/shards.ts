import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { SdfpError } from '../lib/errors.ts';
import { isNotFound, readJsonFile } from '../lib/json-file.ts';
import { TARGET_WEIGHTS_FILE } from '../lib/model-files.ts';
import { parse } from './parse.ts';
import { type HeaderEntry, readSafetensorsHeader } from './safetensors.ts';

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';

const IndexSchema = v.looseObject({ weight_map: v.record(v.string(), v.string()) });

/** All that the weight files of a folder contain. */
export interface Checkpoint {
  /** Weight files and, where there are several, the index; relative to the folder. */
  readonly files: readonly string[];
  readonly entries: ReadonlyMap<string, HeaderEntry>;
}

/** Reads the headers of `model.safetensors`, or of the shards that the index names. The single file wins, as in transformers. */
export async function readCheckpoint(dir: string): Promise<Checkpoint> {
  if (await exists(join(dir, SINGLE_FILE))) {
    const entries = await readSafetensorsHeader(dir, SINGLE_FILE);
    return { files: [SINGLE_FILE], entries: new Map(entries.map((entry) => [entry.name, entry])) };
  }
  if (await exists(join(dir, INDEX_FILE))) return readShards(dir);
  throw await noWeights(dir);
}

async function readShards(dir: string): Promise<Checkpoint> {
  const json = await readJsonFile(join(dir, INDEX_FILE), 'model_unreadable');
  const { weight_map: weightMap } = parse(IndexSchema, json, INDEX_FILE);
  const shards = [...new Set(Object.values(weightMap))].sort();
  const entries = new Map<string, HeaderEntry>();
  for (const shard of shards) {
    await checkShard(dir, shard);
    for (const entry of await readSafetensorsHeader(dir, shard)) addEntry(entries, entry);
  }
  for (const [name, shard] of Object.entries(weightMap)) {
    const found = entries.get(name)?.file;
    if (found !== shard) {
      throw indexError(
        `it places tensor ${name} in ${shard}, where it is not${found ? ` (it is in ${found})` : ''}`,
      );
    }
  }
  return { files: [INDEX_FILE, ...shards], entries };
}

async function checkShard(dir: string, shard: string): Promise<void> {
  // A path would let an index read, and an artifact carry, files from anywhere.
  if (shard !== basename(shard) || shard.includes('\\') || !shard.endsWith('.safetensors')) {
    throw indexError(`it names the shard "${shard}", which is no .safetensors file name of this folder`);
  }
  if (!(await exists(join(dir, shard)))) throw indexError(`it names the shard ${shard}, which is missing`);
}

function addEntry(entries: Map<string, HeaderEntry>, entry: HeaderEntry): void {
  const other = entries.get(entry.name);
  if (other !== undefined)
    throw indexError(`tensor ${entry.name} is both in ${other.file} and in ${entry.file}`);
  entries.set(entry.name, entry);
}

function indexError(found: string): SdfpError {
  return new SdfpError('model_unreadable', `Cannot read ${INDEX_FILE}: ${found}.`, { param: INDEX_FILE });
}

async function noWeights(dir: string): Promise<SdfpError> {
  const other = (await readdir(dir)).filter((name) => /\.(bin|pt|pth|gguf|safetensors)$/.test(name));
  if (other.includes(TARGET_WEIGHTS_FILE)) {
    return new SdfpError(
      'model_unreadable',
      `Cannot read the weights in ${dir}: found ${TARGET_WEIGHTS_FILE}, weights rounded by sdfp build --target-precision int4, without the ` +
        `original ones; needed are those, ${SINGLE_FILE} or ${INDEX_FILE} with its shards: name the model folder that was baked.`,
    );
  }
  const found = other.length === 0 ? 'no weights at all' : other.slice(0, 3).join(', ');
  return new SdfpError(
    'model_unreadable',
    `Cannot read the weights in ${dir}: found ${found}; needed is ${SINGLE_FILE}, or ${INDEX_FILE} with its shards.`,
  );
}

/** Whether there is something at `path`; a link that points nowhere counts as nothing. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
