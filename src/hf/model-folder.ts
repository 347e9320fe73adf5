import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SdfpError } from '../lib/errors.ts';
import { isNotFound, readOptionalJsonFile } from '../lib/json-file.ts';
import { CONFIG_FILE, GENERATION_FILE, SMALL_FILES, TOKENIZER_FILE } from '../lib/model-files.ts';
import { explainSystemError } from '../lib/system-error.ts';
import { parseConfig } from './config.ts';
import { parseGeneration } from './generation.ts';
import { exists, readCheckpoint } from './shards.ts';
import { isHeadTied } from './tied-head.ts';
import type { ModelFolder } from './types.ts';
import { selectTensors } from './weights.ts';

const NEEDED = `needed is a folder as on the Hugging Face hub, with ${CONFIG_FILE}, ${TOKENIZER_FILE} and the weights as safetensors`;
/** Names that a message lists. */
const MOST_SHOWN = 5;

/**
 * Reads and checks a Hugging Face model folder: config.json, generation_config.json and the headers of the weights.
 * Weights are not loaded (see {@linkcode readTensor}) and nothing stays open. Throws SdfpError `model_unreadable` if
 * something is missing or damaged, `model_unsupported` if it is sound but not a model that we can compute.
 */
export async function readModelFolder(dir: string): Promise<ModelFolder> {
  const absolute = resolve(dir);
  await checkIsFolder(absolute);
  const configJson = await readOptionalJsonFile(join(absolute, CONFIG_FILE), 'model_unreadable');
  if (configJson === undefined) throw await noConfig(absolute);
  const stated = parseConfig(configJson);
  const generationJson = await readOptionalJsonFile(join(absolute, GENERATION_FILE), 'model_unreadable');
  const generation = parseGeneration(generationJson, configJson);
  const { files, entries } = await readCheckpoint(absolute);
  const config = { ...stated, tiedEmbeddings: await isHeadTied(absolute, stated.tiedEmbeddings, entries) };
  const tensors = selectTensors(config, entries);
  return { dir: absolute, config, generation, tensors, files: [...(await smallFiles(absolute)), ...files] };
}

async function checkIsFolder(dir: string): Promise<void> {
  try {
    if ((await stat(dir)).isDirectory()) return;
  } catch (cause) {
    const found = isNotFound(cause) ? 'there is no such folder' : explainSystemError(cause);
    throw new SdfpError('model_unreadable', `Cannot read the model folder ${dir}: ${found}; ${NEEDED}.`, {
      cause,
    });
  }
  throw new SdfpError('model_unreadable', `Cannot read the model folder ${dir}: it is a file; ${NEEDED}.`);
}

async function noConfig(dir: string): Promise<SdfpError> {
  const names = (await readdir(dir)).sort();
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : '';
  const found = names.length === 0 ? 'an empty folder' : `${names.slice(0, MOST_SHOWN).join(', ')}${more}`;
  return new SdfpError(
    'model_unreadable',
    `Cannot read the model folder ${dir}: it has no ${CONFIG_FILE}; found ${found}; ${NEEDED}.`,
    { param: CONFIG_FILE },
  );
}

/** Files beside the weights that an artifact carries where they exist. */
async function smallFiles(dir: string): Promise<readonly string[]> {
  const present = await Promise.all(SMALL_FILES.map((file) => exists(join(dir, file))));
  return SMALL_FILES.filter((_, index) => present[index]);
}
