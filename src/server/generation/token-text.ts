import type { TextCodec } from '../../text/types.ts';

/** What a token is called where it stands alone: its text, or its bytes where those are no text. */
export function tokenLabel(text: TextCodec, id: number): string {
  const bytes = text.tokenBytes(id);
  const label = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  // As OpenAI writes it, so that two halves of characters have two names.
  return label.includes('\uFFFD')
    ? `bytes:${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`
    : label;
}

/** JSON has no infinity; OpenAI and vLLM write -9999. */
export function finiteLogprob(logprob: number): number {
  return Math.max(logprob, -9999);
}
