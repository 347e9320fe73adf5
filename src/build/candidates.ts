import type { OptionScores, ScoreResult } from '../fit/index.ts';
import { buildServingGraph, type ServingGraph } from '../graph/index.ts';
import { layerTensorShapes, type ModelConfig, type ModelFolder } from '../hf/index.ts';
import { blockOfTensor, listUnits, unitName } from '../lib/units.ts';
import {
  type CandidateForm,
  candidateForms,
  countForKeep,
  formsWithCount,
  MIXED_SHARES,
} from '../plan/candidates.ts';
import { mixPlans, type OptionBytes, planBytes, predictLoss } from '../plan/mix.ts';
import { selectUnits } from '../plan/select.ts';
import type { DraftPlan, Unit } from '../plan/types.ts';
import { chooseVocabularySize, selectVocabulary } from '../plan/vocabulary.ts';
import type { Rounding } from '../quant/index.ts';
import { extraBytes, optionBytes } from './draft-memory.ts';
import type { ReducedHead } from './stage.ts';

/** A draft that could be served, with the graph that holds it. */
export interface Candidate {
  /**
   * `drop-12`: twelve units dropped, the rest shared; `int8-drop-4`: the rest rounded; `int8`: nothing dropped;
   * `mixed-50`: each part dropped or rounded as loses least, half the bytes of `int8`; `int8-vocab-1024`: as `int8`, with a
   * vocabulary of so many tokens. Of a target that is rounded itself `a8-drop-4`: the rest shared, with activations of 8 bits.
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
  /** Predicted KL divergence from the target, in nats per sequence; null: the scoring method predicts none. */
  readonly predictedLoss: number | null;
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
 * the same of neighbouring counts. Mixed ones where the scores say what rounding loses. `text`: sequences whose tokens are
 * counted for drafts with a reduced vocabulary; without any there are none.
 */
export function proposeDrafts(
  folder: ModelFolder,
  scores: ScoreResult,
  { keep, draftMemoryBytes = Number.POSITIVE_INFINITY }: DraftWishes,
  text: readonly (readonly number[])[] = [],
): Candidate[] {
  const { config } = folder;
  const ofTarget = folder.precision === 'int4' ? folder.precision : undefined;
  const numUnits = 2 * config.numLayers;
  const canMix = scores.options?.options.some(({ kind }) => kind !== 'drop') ?? false;
  const forms =
    keep === undefined
      ? candidateForms(numUnits, canMix ? 0 : ROUNDED_EIGHTHS, ofTarget)
      : formsWithCount(countForKeep(keep, numUnits), ofTarget);
  const plans = new Map<string, DraftPlan>();
  const add = (name: string, plan: DraftPlan) => {
    if (extraBytes(folder, plan) <= draftMemoryBytes) plans.set(name, plan);
  };
  // What it saves is the same for all of a rounding: the one that drops the fewest units shows whether it pays.
  const [leastDropped] = forms.filter(({ rounding }) => rounding !== undefined);
  const vocabulary = reducedVocabulary(folder, planOf(config, scores, leastDropped!), text);
  for (const form of forms) {
    const plan = planOf(config, scores, form);
    // The units of one method and rounding that are as many are the same ones.
    if (form.rounding !== undefined || plan.dropped.length > 0) add(nameOf(folder, plan), plan);
    if (vocabulary === undefined || plan.head === undefined || form.count !== leastDropped!.count) continue;
    const reduced = { ...plan, vocabulary };
    add(nameOf(folder, reduced), reduced);
  }
  if (keep === undefined && canMix) {
    for (const { percent, plan } of mixedPlans(scores.options!, optionBytes(folder), draftMemoryBytes)) {
      add(`mixed-${percent}`, plan);
    }
  }
  return [...plans].map(([name, plan]) => makeCandidate(folder, scores, name, plan));
}

/** Up to so many eighths of the units are dropped where the rest is rounded and no score says what rounding loses. */
const ROUNDED_EIGHTHS = 2;

/**
 * For each size the best plan that fits, and one that fills the memory there is, with the share of the bytes of `int8` that it
 * takes. A plan that several sizes lead to comes once; everything at 8 bits, and at 4, are drafts of their own.
 */
export function mixedPlans(
  scores: OptionScores,
  bytesOf: OptionBytes,
  draftMemoryBytes: number,
): { readonly percent: number; readonly plan: DraftPlan }[] {
  const path = [...mixPlans(scores, bytesOf)].map((plan) => ({ plan, bytes: planBytes(plan, bytesOf) }));
  const whole = path[0]!.bytes;
  const sizes = [draftMemoryBytes, ...MIXED_SHARES.map((share) => share * whole)].sort((a, b) => b - a);
  const chosen = new Map<number, DraftPlan>();
  for (const size of sizes) {
    const step = path.find(({ bytes }) => bytes <= Math.min(size, draftMemoryBytes));
    const percent = Math.round((100 * (step?.bytes ?? 0)) / whole);
    if (step !== undefined && isMixed(step.plan) && !chosen.has(percent)) chosen.set(percent, step.plan);
  }
  return [...chosen].map(([percent, plan]) => ({ percent, plan }));
}

/** Whether its parts are not all treated alike. */
function isMixed({ dropped, int4 = [], int8 = [], head }: DraftPlan): boolean {
  const isWhole = (units: readonly Unit[], others: readonly Unit[], rounding: Rounding) =>
    units.length > 0 && others.length + dropped.length === 0 && head === rounding;
  return !isWhole(int8, int4, 'int8') && !isWhole(int4, int8, 'int4');
}

function makeCandidate(folder: ModelFolder, scores: ScoreResult, name: string, plan: DraftPlan): Candidate {
  const { bytes, spec } = buildServingGraph(folder, plan);
  return {
    name,
    plan,
    keptShare: keptShare(folder.config, plan.dropped),
    extraBytes: extraBytes(folder, plan),
    predictedLoss: lossOf(folder, scores, plan),
    graph: { bytes, spec: { ...spec, graph: `graph.${name}.onnx` } },
  };
}

/**
 * Where nothing was rounded while scoring, only removals can be predicted. Null for tokens that are never proposed, and for
 * drafts of a rounded target, which is not the model that was scored.
 */
function lossOf({ precision }: ModelFolder, { options }: ScoreResult, plan: DraftPlan): number | null {
  const { head = 'shared', vocabulary } = plan;
  if (options === undefined || vocabulary !== undefined || precision === 'int4') return null;
  if (head === 'shared') return predictLoss(options, plan);
  return options.options.some(({ kind }) => kind === head) ? predictLoss(options, plan) : null;
}

function nameOf({ precision }: ModelFolder, { dropped, head = 'shared', vocabulary }: DraftPlan): string {
  const kind = head === precision ? 'a8' : head;
  const parts = [
    ...(head === 'shared' ? [] : [kind]),
    ...(head === 'shared' || dropped.length > 0 ? [`drop-${dropped.length}`] : []),
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

/** Roundings that any candidate uses. */
export function roundingsOf(candidates: readonly Candidate[]): Rounding[] {
  const isUsed = (rounding: Rounding) =>
    candidates.some(({ plan }) => (plan[rounding] ?? []).length > 0 || plan.head === rounding);
  return (['int4', 'int8'] as const).filter(isUsed);
}

/** One for each rounding: a build has one reduced vocabulary, and one draft of each rounding with it. */
export function reducedHeadsOf(candidates: readonly Candidate[]): ReducedHead[] {
  return candidates.flatMap(({ plan: { head = 'shared', vocabulary } }) =>
    head === 'shared' || vocabulary === undefined ? [] : [{ rounding: head, vocabulary }],
  );
}
