import type { ModelFolder } from '../hf/types.ts';
import { encodeModel, GraphBuilder } from '../onnx/index.ts';
import { buildSequenceForward } from './loss.ts';

/** Names of the evaluation graph's further input and its outputs; its other inputs are `SEQUENCE_INPUTS`. */
export const EVALUATION_GRAPH = {
  /** int32 [R]: the positions whose logits are wanted. */
  logitsAt: 'logits_at',
  /** float32 scalar */
  nll: 'nll',
  /** int64 [S]: the most likely next token at every position. */
  argmax: 'argmax',
  /** float32 [R, V] */
  logits: 'logits',
} as const;

/**
 * Likelihood and predictions of one whole sequence, without the units named in `dropped` (`3.attn`). Logits are reduced
 * inside the graph: of S rows of V only those asked for come out.
 */
export function buildEvaluationGraph(folder: ModelFolder, dropped: readonly string[]): Uint8Array {
  const g = new GraphBuilder();
  const { nll, logits } = buildSequenceForward(g, {
    folder,
    modeOf: ({ layer, block }) => (dropped.includes(`${layer}.${block}`) ? 'off' : 'on'),
  });
  const logitsAt = g.input(EVALUATION_GRAPH.logitsAt, 'int32', ['R']);
  g.output(EVALUATION_GRAPH.nll, nll);
  g.output(EVALUATION_GRAPH.argmax, g.op.ArgMax(logits, { axis: -1, keepdims: 0 }));
  g.output(EVALUATION_GRAPH.logits, g.op.Gather(logits, logitsAt, { axis: 0 }));
  return encodeModel(g.build());
}
