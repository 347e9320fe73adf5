import type { ModelFolder } from '../hf/types.ts';
import { encodeModel, GraphBuilder } from '../onnx/index.ts';
import type { Unit } from '../plan/types.ts';
import { buildForward } from './forward.ts';
import { isDropped } from './serving.ts';

/** Names of the eval graph's inputs and output. */
export const EVAL_GRAPH = {
  /** int32 [B, S] */
  inputIds: 'input_ids',
  /** int32 [B, S] */
  positionIds: 'position_ids',
  /** float32 [B, S, S]: 0 where a query sees a key, a large negative number where not. */
  attentionBias: 'attention_bias',
  /** int32 [R] into B*S */
  outputRows: 'output_rows',
  /** float32 [R, V] */
  logits: 'logits',
} as const;

/** Bytes of a graph that runs whole sequences without a cache and without the units in `dropped`. */
export function buildEvalGraph(folder: ModelFolder, dropped: readonly Unit[]): Uint8Array {
  const g = new GraphBuilder();
  const { logits } = buildForward({
    folder,
    g,
    inputIds: g.input(EVAL_GRAPH.inputIds, 'int32', ['B', 'S']),
    positionIds: g.input(EVAL_GRAPH.positionIds, 'int32', ['B', 'S']),
    attentionBias: g.input(EVAL_GRAPH.attentionBias, 'float32', ['B', 'S', 'S']),
    outputRows: g.input(EVAL_GRAPH.outputRows, 'int32', ['R']),
    modeOf: (unit) => (isDropped({ dropped }, unit) ? 'off' : 'on'),
  });
  g.output(EVAL_GRAPH.logits, logits);
  return encodeModel(g.build());
}
