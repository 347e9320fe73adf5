import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SdfpError } from '../lib/errors.ts';
import { readJsonFile, readOptionalJsonFile } from '../lib/json-file.ts';
import { CONFIG_FILE, GENERATION_FILE, SMALL_FILES } from '../lib/model-files.ts';
import { parseConfig } from './config.ts';
import { parseGeneration } from './generation.ts';
import { exists, readCheckpoint } from './shards.ts';
import { isHeadTied } from './tied-head.ts';
import type { ModelFolder } from './types.ts';
import { selectTensors } from './weights.ts';

/**
 * Reads and checks a Hugging Face model folder: config.json, generation_config.json and the headers of the weights.
 * Weights are not loaded (see {@linkcode readTensor}) and nothing stays open. Throws SdfpError `model_unreadable` if
 * something is missing or damaged, `model_unsupported` if it is sound but not a model that we can compute.
 */
export async function readModelFolder(dir: string): Promise<ModelFolder> {
  const absolute = resolve(dir);
  await checkIsFolder(absolute);
  const configJson = await readJsonFile(join(absolute, CONFIG_FILE), 'model_unreadable');
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
    throw new SdfpError('model_unreadable', `Cannot read the model folder ${dir}: there is no such folder.`, {
      cause,
    });
  }
  throw new SdfpError('model_unreadable', `Cannot read the model folder ${dir}: it is a file.`);
}

/** Files beside the weights that an artifact carries where they exist. */
async function smallFiles(dir: string): Promise<readonly string[]> {
  const present = await Promise.all(SMALL_FILES.map((file) => exists(join(dir, file))));
  return SMALL_FILES.filter((_, index) => present[index]);
}
