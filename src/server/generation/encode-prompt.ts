import type { ServedModel } from '../model-host.ts';

/**
 * Most text of one request that is encoded at once, in UTF-16 units: up to 10 ms, during which no stream goes on. Text
 * without spaces or of random letters takes 10 times as long as a story.
 */
const MAX_UNITS_AT_ONCE = 8192;

/** Ids of a text of one request. */
export type EncodePrompt = (
  text: string,
  options: { readonly addSpecialTokens: boolean },
) => Promise<readonly number[]>;

/**
 * Encodes the texts of one request, those past the first 8192 units in another thread where the model has one. `signal`:
 * of the request; those that wait for that thread are dropped when it aborts.
 */
export function createPromptEncoder(
  { text: codec, encodeLong }: ServedModel,
  signal: AbortSignal | undefined,
): EncodePrompt {
  let unitsLeft = MAX_UNITS_AT_ONCE;
  return async (text, options) => {
    unitsLeft -= text.length;
    if (encodeLong === undefined || unitsLeft >= 0) return codec.encode(text, options);
    return encodeLong(text, { ...options, signal });
  };
}
