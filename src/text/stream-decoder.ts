import type { Spelling } from './spelling.ts';
import type { StreamDecoder } from './types.ts';

/** What decoding needs to know of a vocabulary. */
export interface Vocabulary {
  readonly spelling: Spelling;
  /** `undefined` for an id without token, as the padding rows of an embedding have. */
  tokenOf(id: number): string | undefined;
  isAdded(id: number): boolean;
  isSpecial(id: number): boolean;
}

/**
 * Decodes ids one by one, each in time independent of the text before it. The pieces together are exactly the text of
 * all ids at once: bytes wait in a UTF-8 decoder until their character is complete, and only a text's start is stripped.
 */
export function createStreamDecoder(vocabulary: Vocabulary, skipSpecialTokens: boolean): StreamDecoder {
  const { spelling } = vocabulary;
  // Without ignoreBOM a generated U+FEFF would vanish.
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let stripsLeft = spelling.strip.count;
  let isFirst = true;

  function stripStart(text: string): string {
    let start = 0;
    while (stripsLeft > 0 && start < text.length) {
      if (!text.startsWith(spelling.strip.content, start)) stripsLeft = 0;
      else {
        start += spelling.strip.content.length;
        stripsLeft--;
      }
    }
    return text.slice(start);
  }

  return {
    push(id) {
      if (skipSpecialTokens && vocabulary.isSpecial(id)) return '';
      const token = vocabulary.tokenOf(id);
      if (token === undefined) return '';
      const bytes = spelling.bytes(token, vocabulary.isAdded(id), isFirst);
      isFirst = false;
      return stripStart(utf8.decode(bytes, { stream: true }));
    },
    flush: () => stripStart(utf8.decode()),
  };
}
