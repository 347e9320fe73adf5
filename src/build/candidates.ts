import type { ScoreResult } from '../fit/index.ts';
import { buildServingGraph, type ServingGraph } from '../graph/index.ts';
import { layerTensorShapes, type ModelConfig, type ModelFolder } from '../hf/index.ts';
import { candidateCounts, countForKeep } from '../plan/candidates.ts';
import { selectUnits } from '../plan/select.ts';
import type { Unit } from '../plan/types.ts';

/** A draft that could be served, with the graph that holds it. */
export interface Candidate {
  /** `drop-12`: twelve units dropped. */
  readonly name: string;
  readonly dropped: readonly Unit[];
  /** Share of the block weights that stay, 0..1. */
  readonly keptShare: number;
  readonly graph: ServingGraph;
}

/** The drafts worth measuring, or the one that keeps the share `keep` of the units. */
export function proposeDrafts(
  folder: ModelFolder,
  scores: ScoreResult,
  keep: number | undefined,
): Candidate[] {
  const numUnits = 2 * folder.config.numLayers;
  const counts = keep === undefined ? candidateCounts(numUnits) : [countForKeep(keep, numUnits)];
  return counts
    .filter((count) => count > 0)
    .map((count) => makeCandidate(folder, selectUnits(scores, count)));
}

function makeCandidate(folder: ModelFolder, dropped: readonly Unit[]): Candidate {
  const name = `drop-${dropped.length}`;
  const { bytes, spec } = buildServingGraph(folder, { dropped });
  const graph = { bytes, spec: { ...spec, graph: `graph.${name}.onnx` } };
  return { name, dropped, keptShare: keptShare(folder.config, dropped), graph };
}

function keptShare(config: ModelConfig, dropped: readonly Unit[]): number {
  const sizes = { attn: unitSize(config, 'attn'), mlp: unitSize(config, 'mlp') };
  const total = config.numLayers * (sizes.attn + sizes.mlp);
  return 1 - dropped.reduce((sum, unit) => sum + sizes[unit.block], 0) / total;
}

/** Weights of a block, its norm and biases included. */
function unitSize(config: ModelConfig, block: Unit['block']): number {
  let size = 0;
  for (const [tensor, shape] of layerTensorShapes(config)) {
    const isAttention = tensor.startsWith('self_attn.') || tensor === 'input_layernorm.weight';
    if (isAttention === (block === 'attn')) size += shape.reduce((product, dim) => product * dim, 1);
  }
  return size;
}
