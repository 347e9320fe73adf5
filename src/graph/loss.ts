import type { GraphBuilder, Value } from '../onnx/index.ts';
import { buildForward, type ForwardOptions, type ForwardResult } from './forward.ts';

/** Names of the inputs of graphs that read one whole sequence, without a cache. */
export const SEQUENCE_INPUTS = {
  /** int32 [1, S] */
  inputIds: 'input_ids',
  /** int32 [1, S] */
  positionIds: 'position_ids',
  /** float32 [1, S, S]: 0 where a query sees a key, a large negative number where not. */
  attentionBias: 'attention_bias',
  /** int32 [S, 1]: the token after each position; any valid id after the last. */
  targets: 'targets',
  /** float32 [S, 1]: 1 where a token is predicted, 0 at the last position. */
  predicted: 'predicted',
} as const;

export interface SequenceForward extends ForwardResult {
  /** Negative log likelihood of the sequence in nats, a scalar: a sum over the predicted tokens, never a mean. */
  readonly nll: Value;
}

/** The whole model over one sequence, and its loss. */
export function buildSequenceForward(
  g: GraphBuilder,
  options: Pick<ForwardOptions, 'folder' | 'modeOf' | 'headGate'>,
): SequenceForward {
  const forward = buildForward({
    ...options,
    g,
    inputIds: g.input(SEQUENCE_INPUTS.inputIds, 'int32', [1, 'S']),
    positionIds: g.input(SEQUENCE_INPUTS.positionIds, 'int32', [1, 'S']),
    attentionBias: g.input(SEQUENCE_INPUTS.attentionBias, 'float32', [1, 'S', 'S']),
  });
  const targets = g.input(SEQUENCE_INPUTS.targets, 'int32', ['S', 1]);
  const predicted = g.input(SEQUENCE_INPUTS.predicted, 'float32', ['S', 1]);
  const nll = g.scope('loss', () => {
    const logProbs = g.op.LogSoftmax(forward.logits, { axis: -1 }); // [S, V]
    const ofTargets = g.op.GatherElements(logProbs, targets, { axis: 1 }); // [S, 1]
    return g.op.Neg(g.op.ReduceSum(g.op.Mul(ofTargets, predicted), [0, 1], { keepdims: 0 }));
  });
  return { ...forward, nll };
}
