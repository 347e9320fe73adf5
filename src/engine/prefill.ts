import type { Decoder } from './decoder.ts';
import { tokenLogprob } from './logprobs.ts';
import type { Sequence } from './sequence.ts';
import type { PromptEvent, TokenLogprob } from './types.ts';

/** Prompt tokens per run: long enough to use the hardware, short enough that others get their turn. */
const CHUNK_TOKENS = 128;
/** Most logits of one run, 16 MiB, where every row is wanted. */
const MAX_CHUNK_LOGITS = 2 ** 22;

/**
 * Runs the prompt up to a last chunk, which the first round takes as its input; a turn per chunk. With prompt logprobs
 * all but the last token is run here, every row's logits are read, and the prompt event comes at the end.
 */
export function* prefill(sequence: Sequence, decoder: Decoder): Generator<PromptEvent | undefined, void> {
  const { request, model, history } = sequence;
  if (request.promptLogprobs === true) {
    yield* prefillWithLogprobs(sequence, decoder);
    return;
  }
  if (sequence.finishReason !== undefined) return;
  while (history.length - model.length > CHUNK_TOKENS) {
    model.forward(history.slice(model.length, model.length + CHUNK_TOKENS), 1, 'target');
    yield undefined;
  }
}

function* prefillWithLogprobs(
  { request, model, history }: Sequence,
  decoder: Decoder,
): Generator<PromptEvent | undefined, void> {
  const { vocabSize } = decoder.model;
  const longest = Math.max(1, Math.min(CHUNK_TOKENS, Math.floor(MAX_CHUNK_LOGITS / vocabSize)));
  const logprobs: (TokenLogprob | null)[] = [null];
  while (history.length - model.length > 1) {
    const start = model.length;
    const end = Math.min(start + longest, history.length - 1);
    const logits = model.forward(history.slice(start, end), end - start, 'target'); // [end - start, V]
    for (const [row, id] of history.slice(start + 1, end + 1).entries()) {
      const rowLogits = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
      logprobs.push(tokenLogprob(rowLogits, id, request.topLogprobs ?? 0));
    }
    yield undefined;
  }
  yield { type: 'prompt', logprobs };
}
