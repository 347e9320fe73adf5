/**
 * GPT-2's spelling of bytes as visible characters: printable Latin-1 stands for itself, the other bytes for U+0100 and
 * up in order. Source: `bytes_to_unicode` of openai/gpt-2, `CHAR_BYTES` of huggingface/tokenizers.
 */
function byteOfCharacter(): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 0x100; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    bytes.set(String.fromCodePoint(isPrintable ? byte : next++), byte);
  }
  return bytes;
}

const BYTES = byteOfCharacter();

/** The bytes of a byte-level token, or `undefined` if some character stands for no byte. */
export function byteLevelBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTES.get(token[i]!);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
