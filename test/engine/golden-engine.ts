import { createEngine, type EngineOptions, type LocalEngine } from '../../src/engine/index.ts';
import type { EngineLimits } from '../../src/engine/options.ts';
import { buildServingGraph } from '../../src/graph/serving.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { listUnits, unitName } from '../../src/lib/units.ts';
import type { Unit } from '../../src/plan/types.ts';
import { roundedFolder, writeReducedHead, writeTargetFile } from '../../src/quant/index.ts';
import { temporaryFolder } from '../artifact/example.ts';
import { type GoldenModel, goldenDir } from '../golden/models.ts';

/** What an engine over a golden model needs, for a draft that skips `dropped`. */
export async function goldenOptions(model: GoldenModel, dropped: readonly Unit[]): Promise<EngineOptions> {
  const folder = await readModelFolder(goldenDir(model));
  const { bytes, spec } = buildServingGraph(folder, { dropped });
  return { graph: bytes, weightsDir: folder.dir, spec, threads: 1 };
}

export async function openGoldenEngine(
  model: GoldenModel,
  dropped: readonly Unit[],
  limits: EngineLimits = {},
): Promise<LocalEngine> {
  return createEngine({ ...(await goldenOptions(model, dropped)), ...limits });
}

/** What an int4 engine takes besides a draft's dropped units. */
export interface Int4Options extends EngineLimits {
  /** Tokens that the draft may propose, ids ascending; default: all. */
  readonly vocabulary?: readonly number[] | undefined;
}

/** The same with a target of int4; the draft computes the rest by the same weights. */
export async function openInt4Engine(
  model: GoldenModel,
  dropped: readonly Unit[],
  { vocabulary, ...limits }: Int4Options = {},
): Promise<LocalEngine> {
  const stored = await readModelFolder(goldenDir(model));
  // An open session has the weights in memory.
  await using scratch = await temporaryFolder();
  await writeTargetFile(stored, scratch.path);
  if (vocabulary) await writeReducedHead(stored, 'int4', vocabulary, scratch.path);
  const folder = roundedFolder(stored, scratch.path);
  const skipped = new Set(dropped.map(unitName));
  const int4 = listUnits(folder.config.numLayers).filter((unit) => !skipped.has(unitName(unit)));
  const { bytes, spec } = buildServingGraph(folder, {
    dropped,
    int4,
    head: 'int4',
    ...(vocabulary && { vocabulary }),
  });
  return await createEngine({ graph: bytes, weightsDir: folder.dir, spec, threads: 1, ...limits });
}
