import type { ServedModel } from '../model-host.ts';

/**
 * Longest text that is encoded at once, in UTF-16 units: up to 10 ms, during which no stream goes on. Text without spaces
 * or of random letters takes 10 times as long as a story.
 */
const MAX_UNITS_AT_ONCE = 8192;

/** Ids of a text. Long ones are encoded in another thread where the model has one. */
export async function encodePrompt(
  { text: codec, encodeLong }: ServedModel,
  text: string,
  options: { readonly addSpecialTokens: boolean },
): Promise<readonly number[]> {
  if (encodeLong === undefined || text.length <= MAX_UNITS_AT_ONCE) return codec.encode(text, options);
  return encodeLong(text, options);
}
