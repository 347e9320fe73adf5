import type { ModelFolder } from '../hf/types.ts';
import type { GraphBuilder, Value } from '../onnx/index.ts';
import type { Unit } from '../plan/types.ts';
import type { Rounding } from '../quant/index.ts';
import { attention } from './attention.ts';
import type { ForwardContext, KeyValue } from './context.ts';
import { embed } from './embedding.ts';
import { type HeadGate, logitsOf } from './head.ts';
import { mlp } from './mlp.ts';
import { rotaryAngles } from './rotary.ts';
import { RoundedWeights } from './rounded-weights.ts';
import { addBlocks, type Block, roundingOf, type UnitMode, type UnitTrace } from './unit.ts';
import { Weights } from './weights.ts';

export interface ForwardOptions {
  readonly folder: ModelFolder;
  readonly g: GraphBuilder;
  /** int32 [B, S] */
  readonly inputIds: Value;
  /** int32 [B, S] */
  readonly positionIds: Value;
  /** float32 [B, S, T] */
  readonly attentionBias: Value;
  /** int32 [R] into B*S; absent: all rows. */
  readonly outputRows?: Value;
  /** One entry per cache slot (layers whose attention is not off, in order), [B, KV, P, D]; absent: no past, T = S. */
  readonly past?: readonly KeyValue[];
  /** `on` for every unit by default. */
  readonly modeOf?: (unit: Unit) => UnitMode;
  /** The LM head is rounded in the runs where a bool [1] is true. */
  readonly headGate?: HeadGate | undefined;
}

/** Parts of the model with rounded weights, on the stream of the unrounded one. */
export interface RoundedParts {
  /** Contribution [B, S, E] of a unit of a graph without a past. */
  contribution(trace: UnitTrace): Value;
  /** [R, V] */
  logits(): Value;
}

export interface ForwardResult {
  /** Every unit that is not gated, in the order of computation: `0.attn`, `0.mlp`, `1.attn`, ... */
  readonly units: readonly UnitTrace[];
  /** The residual stream behind the last unit, [B, S, E], before the final norm. */
  readonly stream: Value;
  /** [R, V]; in runs with a reduced head [R, V'] */
  readonly logits: Value;
  /** New rows of each cache slot, [B, KV, S, D]; of graphs without gates only, whose branches may join rows. */
  readonly newKeyValues: readonly KeyValue[];
  /** All new rows in the order of slots, k then v, to be joined along axis 2; a slot that a run skips has none. */
  readonly newRows: readonly Value[];
  /** What each part would give if its weights were rounded and all before it were not. */
  readonly rounded: (rounding: Rounding) => RoundedParts;
}

/** The whole model as operators, from token ids to logits. */
export function buildForward(options: ForwardOptions): ForwardResult {
  const { g, inputIds, outputRows } = options;
  const context = makeContext(options);
  const embedded = g.scope('embedding', () => embed(g, context.weights, inputIds));
  const { stream, rows, traces } = addBlocks(g, listBlocks(context, options), embedded);
  const logits = g.scope('head', () => logitsOf(context, stream, outputRows, options.headGate));
  const rounded = (rounding: Rounding) => roundedParts(context, rounding, stream, outputRows);
  return { units: traces, stream, logits, newKeyValues: pairRows(rows), newRows: rows, rounded };
}

function roundedParts(
  context: ForwardContext,
  rounding: Rounding,
  stream: Value,
  outputRows: Value | undefined,
): RoundedParts {
  const rounded = { ...context, weights: context.rounded(rounding) };
  return {
    contribution: ({ unit: { layer, block }, before }) =>
      block === 'attn'
        ? attention(rounded, layer, before, undefined).contribution
        : mlp(rounded, layer, before),
    logits: () => logitsOf(rounded, stream, outputRows),
  };
}

function makeContext(options: ForwardOptions): ForwardContext {
  const { folder, g, inputIds, positionIds, past } = options;
  const { config } = folder;
  const wholeDraft = onePerRounding((rounding) => RoundedWeights.ofDraft(g, folder, rounding));
  return {
    g,
    config,
    weights: folder.precision === 'int4' ? RoundedWeights.ofTarget(g, folder) : new Weights(g, folder),
    rounded: (rounding, numTokens) =>
      numTokens === undefined
        ? wholeDraft(rounding)
        : RoundedWeights.ofReducedHead(g, folder, rounding, numTokens),
    rotary: g.scope('rotary', () => rotaryAngles(g, config, positionIds)),
    bias: g.scope('bias', () => groupedBias(options)),
    isNarrow: false,
    segments: past?.[0] && g.scope('segments', () => segmentSizes(g, past[0]!.key, inputIds)),
  };
}

/** Where a file's parts lie is worked out once for all blocks. */
function onePerRounding(make: (rounding: Rounding) => Weights): (rounding: Rounding) => Weights {
  const made = new Map<Rounding, Weights>();
  return (rounding) => {
    const weights = made.get(rounding) ?? make(rounding);
    made.set(rounding, weights);
    return weights;
  };
}

/** [B, S, T] to [B, 1, G*S, T]: rows repeated for the G queries that share a key head. */
function groupedBias({ g, folder, attentionBias }: ForwardOptions): Value {
  const { numHeads, numKvHeads } = folder.config;
  const copies = Array.from({ length: numHeads / numKvHeads }, () => attentionBias);
  const repeated = copies.length === 1 ? attentionBias : g.op.Concat(copies, { axis: 1 });
  return g.op.Unsqueeze(repeated, [1]);
}

function segmentSizes(g: GraphBuilder, pastKey: Value, inputIds: Value): Value {
  const parts = [g.op.Shape(pastKey, { start: 2, end: 3 }), g.op.Shape(inputIds, { start: 1, end: 2 })];
  return g.op.Concat(parts, { axis: 0 });
}

/** Attention and MLP of every layer; attention blocks that are not off take the cache slots in order. */
function listBlocks(context: ForwardContext, options: ForwardOptions): readonly Block[] {
  const { folder, past, modeOf } = options;
  const draftContexts = makeDraftContexts(context, options);
  let slots = 0;
  return Array.from({ length: folder.config.numLayers }, (_, layer): Block[] => {
    const attn: Unit = { layer, block: 'attn' };
    const feed: Unit = { layer, block: 'mlp' };
    const mode = modeOf?.(attn) ?? 'on';
    const slot = past?.[mode === 'off' ? slots : slots++];
    return [
      attentionBlock(draftContexts, attn, mode, slot),
      mlpBlock(draftContexts, feed, modeOf?.(feed) ?? 'on'),
    ];
  }).flat();
}

/** The context of a block that is rounded, or not. */
type Contexts = (rounding?: Rounding) => ForwardContext;

/** Whatever the contexts of rounded blocks share is made here, outside of the branches that use it. */
function makeDraftContexts(context: ForwardContext, { attentionBias, modeOf }: ForwardOptions): Contexts {
  const { g, config } = context;
  const isNarrow = config.numHeads > config.numKvHeads;
  const isUsed = Array.from({ length: config.numLayers }, (_, layer) =>
    modeOf?.({ layer, block: 'attn' }),
  ).some((mode) => mode !== undefined && roundingOf(mode) !== undefined);
  const bias =
    isUsed && isNarrow ? g.scope('bias', () => g.op.Unsqueeze(attentionBias, [1, 2])) : context.bias;
  return (rounding) => {
    if (rounding === undefined) return context;
    return { ...context, isNarrow, bias, weights: context.rounded(rounding) };
  };
}

function attentionBlock(contexts: Contexts, unit: Unit, mode: UnitMode, past: KeyValue | undefined): Block {
  const compute = (before: Value, rounding?: Rounding) => {
    const { contribution, key, value } = attention(contexts(rounding), unit.layer, before, past);
    return { contribution, rows: [key, value] };
  };
  const emptyRows = () => {
    if (past === undefined) throw new TypeError(`Gating ${unit.layer}.attn: needs a past, found none.`);
    // [B, KV, 0, D]: cut from the past, so that it has the run's batch size.
    const none = contexts().g.op.Slice(past.key, [0], [0], [2]);
    return [none, none];
  };
  return { unit, mode, compute, emptyRows };
}

function mlpBlock(contexts: Contexts, unit: Unit, mode: UnitMode): Block {
  const compute = (before: Value, rounding?: Rounding) => ({
    contribution: mlp(contexts(rounding), unit.layer, before),
    rows: [],
  });
  return { unit, mode, compute, emptyRows: () => [] };
}

function pairRows(rows: readonly Value[]): readonly KeyValue[] {
  const pairs = Math.floor(rows.length / 2);
  return Array.from({ length: pairs }, (_, i) => ({ key: rows[2 * i]!, value: rows[2 * i + 1]! }));
}
