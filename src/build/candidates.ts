import type { ScoreResult } from '../fit/index.ts';
import { buildServingGraph, type ServingGraph } from '../graph/index.ts';
import { layerTensorShapes, type ModelConfig, type ModelFolder } from '../hf/index.ts';
import { blockOfTensor, listUnits, unitName } from '../lib/units.ts';
import { type CandidateForm, candidateForms, countForKeep, formsWithCount } from '../plan/candidates.ts';
import { selectUnits } from '../plan/select.ts';
import type { DraftPlan, Unit } from '../plan/types.ts';
import { layoutRoundedFile } from '../quant/index.ts';

/** A draft that could be served, with the graph that holds it. */
export interface Candidate {
  /**
   * `drop-12`: twelve units dropped, the rest shared; `int8-drop-4`: the rest rounded; `int8`: nothing dropped. Of a target
   * that is rounded itself `a8-drop-4`: the rest shared, with activations of 8 bits.
   */
  readonly name: string;
  readonly plan: DraftPlan;
  /** Share of the block weights that are computed, 0..1. */
  readonly keptShare: number;
  /**
   * Rounded weights that the draft loads beside the target's; 0 where the target has the same ones, although ONNX Runtime
   * may pack them once for each of the two.
   */
  readonly extraBytes: number;
  readonly graph: ServingGraph;
}

/** What the person who builds has said about drafts. */
export interface DraftWishes {
  /** Share of the units that the draft keeps, 0..1. */
  readonly keep: number | undefined;
  /** Most bytes of weights that a draft may load beside the target's; 0: shared weights only. Undefined: no limit. */
  readonly draftMemoryBytes: number | undefined;
}

/**
 * The drafts worth measuring, those that drop nothing but round first. Each once: methods that choose whole layers make
 * the same of neighbouring counts.
 */
export function proposeDrafts(
  folder: ModelFolder,
  scores: ScoreResult,
  { keep, draftMemoryBytes = Number.POSITIVE_INFINITY }: DraftWishes,
): Candidate[] {
  const numUnits = 2 * folder.config.numLayers;
  const rounding = folder.precision === 'int4' ? folder.precision : undefined;
  const forms =
    keep === undefined
      ? candidateForms(numUnits, rounding)
      : formsWithCount(countForKeep(keep, numUnits), rounding);
  const plans = new Map<string, DraftPlan>();
  for (const form of forms) {
    const plan = planOf(folder.config, scores, form);
    const isDraft = form.rounding !== undefined || plan.dropped.length > 0;
    // The units of one method and rounding that are as many are the same ones.
    if (isDraft && extraBytes(folder, plan) <= draftMemoryBytes) plans.set(nameOf(folder, plan), plan);
  }
  return [...plans].map(([name, plan]) => makeCandidate(folder, name, plan));
}

function makeCandidate(folder: ModelFolder, name: string, plan: DraftPlan): Candidate {
  const { bytes, spec } = buildServingGraph(folder, plan);
  const graph = { bytes, spec: { ...spec, graph: `graph.${name}.onnx` } };
  const [kept, extra] = [keptShare(folder.config, plan.dropped), extraBytes(folder, plan)];
  return { name, plan, keptShare: kept, extraBytes: extra, graph };
}

function nameOf({ precision }: ModelFolder, { dropped: { length }, head = 'shared' }: DraftPlan): string {
  if (head === 'shared') return `drop-${length}`;
  const kind = head === precision ? 'a8' : head;
  return length === 0 ? kind : `${kind}-drop-${length}`;
}

function planOf(config: ModelConfig, scores: ScoreResult, { count, rounding }: CandidateForm): DraftPlan {
  const dropped = selectUnits(scores, count);
  if (rounding === undefined) return { dropped };
  const gone = new Set(dropped.map(unitName));
  const kept = listUnits(config.numLayers).filter((unit) => !gone.has(unitName(unit)));
  return { dropped, [rounding]: kept, head: rounding };
}

function extraBytes(
  { config, precision }: ModelFolder,
  { int4 = [], int8 = [], head = 'shared' }: DraftPlan,
): number {
  return (['int4', 'int8'] as const).reduce((sum, rounding) => {
    if (rounding === precision) return sum;
    const units = (rounding === 'int4' ? int4 : int8).map(({ layer, block }) => `layers.${layer}.${block}.`);
    const used = layoutRoundedFile(config, rounding).matrices.filter(({ name }) =>
      name === 'head' ? head === rounding : units.some((unit) => name.startsWith(unit)),
    );
    return sum + used.reduce((bytes, m) => bytes + m.packed.lengthBytes + m.scales.lengthBytes, 0);
  }, 0);
}

/** Share of the block weights that are left without the units `dropped`, 0..1. */
export function keptShare(config: ModelConfig, dropped: readonly Unit[]): number {
  const sizes = { attn: unitSize(config, 'attn'), mlp: unitSize(config, 'mlp') };
  const total = config.numLayers * (sizes.attn + sizes.mlp);
  return 1 - dropped.reduce((sum, unit) => sum + sizes[unit.block], 0) / total;
}

/** Weights of a block, its norm and biases included. */
function unitSize(config: ModelConfig, block: Unit['block']): number {
  let size = 0;
  for (const [tensor, shape] of layerTensorShapes(config)) {
    if (blockOfTensor(tensor) === block) size += shape.reduce((product, dim) => product * dim, 1);
  }
  return size;
}
