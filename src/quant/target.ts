import { readSafetensorsHeader } from '../hf/safetensors.ts';
import { tensorShapes } from '../hf/tensor-names.ts';
import type { ModelFolder, TensorRef } from '../hf/types.ts';
import { STORED_BYTES } from '../hf/widen.ts';
import { SMALL_FILES, TARGET_WEIGHTS_FILE } from '../lib/model-files.ts';
import { layoutTargetFile } from './layout.ts';

/** The model with its products rounded to 4 bits, once `writeTargetFile` has put them into `dir`. */
export function roundedFolder(folder: ModelFolder, dir: string): ModelFolder {
  return {
    ...folder,
    dir,
    precision: 'int4',
    tensors: layoutTargetFile(folder).kept,
    files: folder.files.filter((name) => SMALL_FILES.includes(name)),
  };
}

/**
 * The same from a folder that has the rounded weights and may lack the original ones; what a checkpoint would tell comes
 * from its manifest. Throws SdfpError `model_unreadable` for a file that is damaged or missing.
 */
export async function readRoundedFolder(
  dir: string,
  { config, generation, files }: Pick<ModelFolder, 'config' | 'generation' | 'files'>,
): Promise<ModelFolder> {
  const shapes = tensorShapes(config);
  const entries = await readSafetensorsHeader(dir, TARGET_WEIGHTS_FILE);
  const tensors = new Map(
    entries.flatMap(({ dtype, ...entry }): [string, TensorRef][] =>
      shapes.has(entry.name) && isStored(dtype) ? [[entry.name, { ...entry, dtype }]] : [],
    ),
  );
  return roundedFolder({ dir, config, generation, tensors, files }, dir);
}

function isStored(dtype: string): dtype is TensorRef['dtype'] {
  return Object.hasOwn(STORED_BYTES, dtype);
}
