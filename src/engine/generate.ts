import { bitsToUniform, noiseBits, noiseKey } from '../lib/random.ts';
import type { Decoder } from './decoder.ts';
import type { Draft } from './draft.ts';
import type { Drafter } from './drafter.ts';
import { tokenLogprob } from './logprobs.ts';
import { prefill } from './prefill.ts';
import type { Sequence } from './sequence.ts';
import type { RoundStep, Turns } from './turns.ts';
import type { DoneEvent, TokensEvent } from './types.ts';
import { type Verdict, verifyCoupled, verifyRejection } from './verify.ts';

/**
 * One generation: prefill chunks, then rounds. Each yields the step that it needs of the target, to be run with those of
 * others, and then what came of it. Plain decoding is a round without draft tokens.
 * The last part of the prompt is the first round's input, so the first token costs no run of its own.
 */
export function* generate(sequence: Sequence, drafter: Drafter, decoder: Decoder): Turns {
  yield* prefill(sequence, decoder);
  while (sequence.finishReason === undefined) {
    const draft = propose(sequence, drafter);
    const logits = yield* runTarget(sequence, draft);
    const verdict = verify(sequence, draft, logits, decoder);
    yield accept(sequence, draft, verdict, logits, decoder);
  }
  yield finish(sequence);
}

/** Draft tokens of a round: none while a part of the prompt is still to be run. */
function propose(sequence: Sequence, drafter: Drafter): Draft {
  return drafter.draft(sequence, sequence.pending.length === 1 ? sequence.room - 1 : 0);
}

/** The target's logits after the pending tokens and after each draft token, [draft + 1, V], in one run. */
function* runTarget(
  { pending, model, policy, request }: Sequence,
  draft: Draft,
): Generator<RoundStep, Float32Array, Float32Array | undefined> {
  const [ids, outputRows] = [[...pending, ...draft.ids], draft.ids.length + 1];
  // After a draft, some of a plain step's weights are out of the caches: not what plain decoding costs.
  const isRound = ids.length === outputRows && (outputRows > 1 || policy.isDecodingPlainly);
  const isTypical = isRound && request.isWarmUp !== true;
  const logits = yield { type: 'step', sequence: model, ids, outputRows, isTypical };
  if (logits === undefined) throw new TypeError('a round was continued without the logits of its step');
  return logits;
}

/** Which draft tokens the target agrees with, and its own token after them. Leaves the history as it was. */
function verify(sequence: Sequence, draft: Draft, logits: Float32Array, decoder: Decoder): Verdict {
  const { history, request } = sequence;
  const known = history.length;
  /** The target's logits after the first `row` draft tokens; the history is brought to just that. */
  const after = (row: number): Float32Array => {
    for (let i = history.length - known; i < row; i++) history.push(draft.ids[i]!);
    return rowOf(logits, row, decoder.model.vocabSize);
  };
  try {
    if (request.speculation.verification === 'coupled') {
      return verifyCoupled(draft.ids, (row) => decoder.sample(sequence, after(row)));
    }
    const uniform = (use: 'acceptance' | 'recovery', row: number) =>
      bitsToUniform(noiseBits(noiseKey(request.sampling.seed, known + row, use), 0));
    return verifyRejection(draft.ids, draft.probs, (row) => decoder.targetProbs(sequence, after(row)), {
      acceptance: (row) => uniform('acceptance', row),
      recovery: (row) => uniform('recovery', row),
    });
  } finally {
    history.trim(known);
  }
}

/** Takes the verdict in: tokens into the history, rejected positions out of the cache, outcome into the statistics. */
function accept(
  sequence: Sequence,
  draft: Draft,
  verdict: Verdict,
  logits: Float32Array,
  decoder: Decoder,
): TokensEvent {
  const { vocabSize } = decoder.model;
  const drafted = draft.ids.length;
  sequence.model.trim(sequence.model.length - drafted + verdict.accepted);
  const ids = sequence.extend([...draft.ids.slice(0, verdict.accepted), verdict.next]);
  const accepted = Math.min(verdict.accepted, ids.length);
  const count = sequence.request.topLogprobs;
  const { origin, leads } = draft;
  sequence.policy.record({ origin, drafted, accepted: verdict.accepted, leads });
  sequence.stats.recordRound(drafted, accepted, ids.length);
  return {
    type: 'tokens',
    ids,
    origins: ids.map((_, i) => (i < accepted ? origin : 'target')),
    numDraftTokens: drafted,
    numCachedTokens: sequence.stats.numCachedTokens,
    queueMs: sequence.stats.queueMs,
    logprobs:
      count === undefined
        ? undefined
        : ids.map((id, row) => tokenLogprob(rowOf(logits, row, vocabSize), id, count)),
  };
}

function finish(sequence: Sequence): DoneEvent {
  const stats = sequence.stats.read(sequence.history.promptLength);
  return { type: 'done', finishReason: sequence.finishReason!, stats };
}

/** Row `row` of [rows, V], a view. */
function rowOf(logits: Float32Array, row: number, vocabSize: number): Float32Array {
  return logits.subarray(row * vocabSize, (row + 1) * vocabSize);
}
