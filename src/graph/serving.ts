import type { EngineSpec } from '../artifact/engine-spec.ts';
import type { ModelConfig, ModelFolder } from '../hf/types.ts';
import { encodeModel, type Graph, GraphBuilder } from '../onnx/index.ts';
import type { DraftPlan } from '../plan/types.ts';
import type { KeyValue } from './context.ts';
import { draftHead, draftMode, includes } from './draft-mode.ts';
import { buildForward } from './forward.ts';

export interface ServingGraph {
  /** The ONNX model: what the artifact's graph file holds. */
  readonly bytes: Uint8Array;
  readonly spec: EngineSpec;
}

/**
 * The graph that an artifact serves: target and draft in one. Runs where `is_draft` is true skip the units that the
 * plan drops and use rounded weights where it says so; all else is shared, weights and thread pool included.
 */
export function buildServingGraph(folder: ModelFolder, plan: DraftPlan): ServingGraph {
  return { bytes: encodeModel(servingGraph(folder, plan)), spec: engineSpec(folder.config, plan) };
}

/** The same as a graph of values and nodes. */
export function servingGraph(folder: ModelFolder, plan: DraftPlan): Graph {
  const g = new GraphBuilder();
  const { inputs, outputs } = engineSpec(folder.config, plan);
  const { numKvHeads, headDim } = folder.config;
  const isDraft = inputs.isDraft === null ? undefined : g.input(inputs.isDraft, 'bool', [1]);
  const forward = buildForward({
    folder,
    g,
    inputIds: g.input(inputs.inputIds, 'int32', ['B', 'S']),
    positionIds: g.input(inputs.positionIds, 'int32', ['B', 'S']),
    attentionBias: g.input(inputs.attentionBias, 'float32', ['B', 'S', 'P+S']),
    outputRows: g.input(inputs.outputRows, 'int32', ['R']),
    past: pastInputs(g, inputs, ['B', numKvHeads, 'P', headDim]),
    modeOf: (unit) => (isDraft === undefined ? 'on' : draftMode(plan, unit, isDraft)),
    headGate: isDraft === undefined ? undefined : draftHead(plan, isDraft),
  });
  g.output(outputs.logits, forward.logits);
  const { newRows } = forward;
  const joined = newRows.length === 1 ? newRows[0]! : g.op.Concat(newRows, { axis: 2 });
  // Runs that skip slots write fewer rows, so the axis gets a symbol of its own.
  g.output(outputs.newKeyValues, joined, ['B', numKvHeads, 'rows', headDim]);
  return g.build();
}

function pastInputs(
  g: GraphBuilder,
  { pastKeys, pastValues }: EngineSpec['inputs'],
  shape: readonly (number | string)[],
): readonly KeyValue[] {
  return pastKeys.map((name, slot) => ({
    key: g.input(name, 'float32', shape),
    value: g.input(pastValues[slot]!, 'float32', shape),
  }));
}

/** Whether a draft run does anything that a target run does not. */
function differs({ dropped, int4 = [], int8 = [], head = 'shared' }: DraftPlan): boolean {
  return dropped.length + int4.length + int8.length > 0 || head !== 'shared';
}

/** Names and sizes of the serving graph; one cache slot per layer. */
function engineSpec(config: ModelConfig, plan: DraftPlan): EngineSpec {
  const layers = Array.from({ length: config.numLayers }, (_, layer) => layer);
  return {
    graph: 'graph.onnx',
    vocabSize: config.vocabSize,
    maxContextTokens: config.maxPositions,
    numKvHeads: config.numKvHeads,
    headDim: config.headDim,
    inputs: {
      inputIds: 'input_ids',
      positionIds: 'position_ids',
      attentionBias: 'attention_bias',
      outputRows: 'output_rows',
      isDraft: differs(plan) ? 'is_draft' : null,
      pastKeys: layers.map((layer) => `past_key.${layer}`),
      pastValues: layers.map((layer) => `past_value.${layer}`),
    },
    outputs: { logits: 'logits', newKeyValues: 'new_key_values' },
    draftSlots: layers.filter((layer) => !includes(plan.dropped, { layer, block: 'attn' })),
    ...(plan.vocabulary && { draftVocabulary: plan.vocabulary }),
  };
}
