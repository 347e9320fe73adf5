import { SEQUENCE_INPUTS } from '../graph/loss.ts';
import type { ModelConfig } from '../hf/types.ts';
import { SdfpError } from '../lib/errors.ts';
import { floatTensor, intTensor, type TensorLike } from '../runtime/index.ts';

/** Added to the score of a key that a query must not see; exp of it is 0 in float32. */
const hidden = -1e9;

/** Inputs of a graph over one whole sequence of S ids: causal, positions from 0, every token but the first predicted. */
export function sequenceFeeds(ids: readonly number[]): Record<string, TensorLike> {
  const length = ids.length;
  const targets = Int32Array.from(ids, (_, t) => ids[t + 1] ?? 0);
  const predicted = Float32Array.from(ids, (_, t) => (t + 1 < length ? 1 : 0));
  return {
    [SEQUENCE_INPUTS.inputIds]: intTensor(Int32Array.from(ids), [1, length]),
    [SEQUENCE_INPUTS.positionIds]: intTensor(
      Int32Array.from(ids, (_, t) => t),
      [1, length],
    ),
    [SEQUENCE_INPUTS.attentionBias]: floatTensor(causalBias(length), [1, length, length]),
    [SEQUENCE_INPUTS.targets]: intTensor(targets, [length, 1]),
    [SEQUENCE_INPUTS.predicted]: floatTensor(predicted, [length, 1]),
  };
}

/** Refuses, as `invalid_request`, a sequence that predicts nothing, is longer than the context or has ids out of range. */
export function checkSequence(ids: readonly number[], { vocabSize, maxPositions }: ModelConfig): void {
  const refuse = (problem: string): SdfpError =>
    new SdfpError('invalid_request', `measuring a sequence of ${ids.length} tokens: ${problem}`, {
      param: 'ids',
    });
  if (ids.length < 2) throw refuse('needs at least two, one to predict');
  if (ids.length > maxPositions) throw refuse(`needs at most ${maxPositions}, the model's context`);
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (wrong !== undefined) throw refuse(`found the id ${wrong}, needs integers from 0 to ${vocabSize - 1}`);
}

/** [S, S] */
function causalBias(length: number): Float32Array {
  const bias = new Float32Array(length * length);
  for (let query = 0; query < length; query++) {
    bias.fill(hidden, query * length + query + 1, (query + 1) * length);
  }
  return bias;
}
