import type { ChatLogprobs, TopLogprob } from '../../api/index.ts';
import type { TextCodec } from '../../text/types.ts';
import type { LogprobEntry, Piece } from './pieces.ts';
import { finiteLogprob, tokenLabel } from './token-text.ts';

/** Log probabilities in the form of chat; null where none were asked for. */
export function toChatLogprobs(pieces: readonly Piece[], text: TextCodec): ChatLogprobs | null {
  const entries = pieces.flatMap((piece) => piece.logprobs ?? []);
  if (entries.length === 0) return null;
  return { content: entries.map((entry) => toTokenLogprob(entry, text)) };
}

function toTokenLogprob({ id, logprob }: LogprobEntry, text: TextCodec): ChatLogprobs['content'][number] {
  const describe = (token: { readonly id: number; readonly logprob: number }): TopLogprob => ({
    token: tokenLabel(text, token.id),
    logprob: finiteLogprob(token.logprob),
    bytes: [...text.tokenBytes(token.id)],
  });
  const chosen = describe({ id, logprob: logprob?.logprob ?? 0 });
  return { ...chosen, top_logprobs: (logprob?.top ?? []).map(describe) };
}
