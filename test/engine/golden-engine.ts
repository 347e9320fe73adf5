import { createEngine, type EngineOptions, type LocalEngine } from '../../src/engine/index.ts';
import type { EngineLimits } from '../../src/engine/options.ts';
import { buildServingGraph } from '../../src/graph/serving.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import type { Unit } from '../../src/plan/types.ts';
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
