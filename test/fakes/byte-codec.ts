import { detectToolCallForm } from '../../src/text/tool-calls.ts';
import type { ChatMessage, StreamDecoder, TextCodec } from '../../src/text/types.ts';

/** Ids of {@linkcode createByteCodec} that stand for no text. */
export const END_ID = 256;
export const BYTE_VOCAB_SIZE = 257;

/** A codec whose tokens are bytes, so that every character but ASCII spans several tokens. */
export function createByteCodec(options: { readonly templates?: readonly string[] } = {}): TextCodec {
  const bytesOf = (ids: readonly number[]): Uint8Array => Uint8Array.from(ids.filter((id) => id !== END_ID));
  return {
    hasChatTemplate: true,
    toolCallForm: detectToolCallForm(options.templates ?? []),
    encode: (text) => [...new TextEncoder().encode(text)],
    decode: (ids) => new TextDecoder().decode(bytesOf(ids)),
    renderChat: (messages: readonly ChatMessage[]) =>
      `${messages.map(({ role, content }) => `<${role}>${content}`).join('')}<assistant>`,
    streamDecoder: () => createStreamDecoder(bytesOf),
    tokenBytes: (id) => bytesOf([id]),
    isSpecial: (id) => id === END_ID,
    tokenText: (id) => (id === END_ID ? '<end>' : String.fromCharCode(id)),
  };
}

function createStreamDecoder(bytesOf: (ids: readonly number[]) => Uint8Array): StreamDecoder {
  const decoder = new TextDecoder();
  return { push: (id) => decoder.decode(bytesOf([id]), { stream: true }), flush: () => decoder.decode() };
}
