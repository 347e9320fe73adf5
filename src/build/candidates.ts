import type { ScoreResult } from '../fit/index.ts';
import { buildServingGraph, type ServingGraph } from '../graph/index.ts';
import { layerTensorShapes, type ModelConfig, type ModelFolder } from '../hf/index.ts';
import { blockOfTensor, listUnits, unitName } from '../lib/units.ts';
import { type CandidateForm, candidateForms, countForKeep, formsWithCount } from '../plan/candidates.ts';
import { selectUnits } from '../plan/select.ts';
import type { DraftPlan, Unit } from '../plan/types.ts';
import { chooseVocabularySize, selectVocabulary } from '../plan/vocabulary.ts';
import { layoutReducedHead, layoutRoundedFile, type RoundedMatrix, type Rounding } from '../quant/index.ts';

/** A draft that could be served, with the graph that holds it. */
export interface Candidate {
  /**
   * `drop-12`: twelve units dropped, the rest shared; `int8-drop-4`: the rest rounded; `int8`: nothing dropped;
   * `int8-vocab-1024`: the same with a vocabulary of so many tokens.
   */
  readonly name: string;
  readonly plan: DraftPlan;
  /** Share of the block weights that are computed, 0..1. */
  readonly keptShare: number;
  /** Rounded weights that the draft loads beside the target's. */
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
 * the same of neighbouring counts. `text`: sequences whose tokens are counted for drafts with a reduced vocabulary;
 * without any there are none.
 */
export function proposeDrafts(
  folder: ModelFolder,
  scores: ScoreResult,
  { keep, draftMemoryBytes = Number.POSITIVE_INFINITY }: DraftWishes,
  text: readonly (readonly number[])[] = [],
): Candidate[] {
  const numUnits = 2 * folder.config.numLayers;
  const forms = keep === undefined ? candidateForms(numUnits) : formsWithCount(countForKeep(keep, numUnits));
  const plans = new Map<string, DraftPlan>();
  // What it saves is the same for all of a rounding: the one that drops the fewest units shows whether it pays.
  const [leastDropped] = forms.filter(({ rounding }) => rounding !== undefined);
  const vocabulary = reducedVocabulary(folder, planOf(folder.config, scores, leastDropped!), text);
  for (const form of forms) {
    const plan = planOf(folder.config, scores, form);
    const isReduced =
      vocabulary !== undefined && plan.head !== undefined && form.count === leastDropped!.count;
    for (const each of isReduced ? [plan, { ...plan, vocabulary }] : [plan]) {
      const isDraft = form.rounding !== undefined || plan.dropped.length > 0;
      // The units of one method and rounding that are as many are the same ones.
      if (isDraft && extraBytes(folder.config, each) <= draftMemoryBytes) plans.set(nameOf(each), each);
    }
  }
  return [...plans].map(([name, plan]) => makeCandidate(folder, name, plan));
}

function makeCandidate(folder: ModelFolder, name: string, plan: DraftPlan): Candidate {
  const { bytes, spec } = buildServingGraph(folder, plan);
  const graph = { bytes, spec: { ...spec, graph: `graph.${name}.onnx` } };
  const [kept, extra] = [keptShare(folder.config, plan.dropped), extraBytes(folder.config, plan)];
  return { name, plan, keptShare: kept, extraBytes: extra, graph };
}

function nameOf({ dropped: { length }, head = 'shared', vocabulary }: DraftPlan): string {
  const parts = [
    ...(head === 'shared' ? [] : [head]),
    ...(head === 'shared' || length > 0 ? [`drop-${length}`] : []),
    ...(vocabulary === undefined ? [] : [`vocab-${vocabulary.length}`]),
  ];
  return parts.join('-');
}

/** Undefined: the draft should propose any token. */
function reducedVocabulary(
  { config, generation }: ModelFolder,
  { dropped }: DraftPlan,
  sequences: readonly (readonly number[])[],
): readonly number[] | undefined {
  const { vocabSize, hiddenSize, numLayers } = config;
  const { bosTokenId, eosTokenIds } = generation;
  const always = [...eosTokenIds, ...(bosTokenId === undefined ? [] : [bosTokenId])];
  const statistics = { sequences, vocabSize, always };
  const blocks =
    keptShare(config, dropped) * numLayers * (unitSize(config, 'attn') + unitSize(config, 'mlp'));
  const size = chooseVocabularySize(statistics, { blocks, perToken: hiddenSize });
  return size === undefined ? undefined : selectVocabulary(statistics, size);
}

function planOf(config: ModelConfig, scores: ScoreResult, { count, rounding }: CandidateForm): DraftPlan {
  const dropped = selectUnits(scores, count);
  if (rounding === undefined) return { dropped };
  const gone = new Set(dropped.map(unitName));
  const kept = listUnits(config.numLayers).filter((unit) => !gone.has(unitName(unit)));
  return { dropped, [rounding]: kept, head: rounding };
}

function extraBytes(config: ModelConfig, plan: DraftPlan): number {
  return (['int4', 'int8'] as const).reduce((sum, rounding) => {
    const units = (plan[rounding] ?? []).map(({ layer, block }) => `layers.${layer}.${block}.`);
    const [head, blocks] = [headOf(config, plan, rounding), layoutRoundedFile(config, rounding).matrices];
    const used = blocks.filter(({ name }) => units.some((unit) => name.startsWith(unit)));
    return (
      sum + [...used, ...head].reduce((bytes, m) => bytes + m.packed.lengthBytes + m.scales.lengthBytes, 0)
    );
  }, 0);
}

/** The LM head of the draft, where it has this rounding. */
function headOf(
  config: ModelConfig,
  { head, vocabulary }: DraftPlan,
  rounding: Rounding,
): readonly RoundedMatrix[] {
  if (head !== rounding) return [];
  if (vocabulary !== undefined) return layoutReducedHead(config, rounding, vocabulary.length).matrices;
  return layoutRoundedFile(config, rounding).matrices.filter(({ name }) => name === 'head');
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
