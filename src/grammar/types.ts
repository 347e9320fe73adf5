/** A JSON Schema (2020-12): an object of keywords, or true. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

/** What an answer must look like. Plain data: it crosses threads with a request. */
export type GrammarSpec =
  | { readonly kind: 'literal'; readonly text: string }
  /** JSON that follows a schema. */
  | { readonly kind: 'json'; readonly schema: JsonSchema }
  | { readonly kind: 'sequence'; readonly parts: readonly GrammarSpec[] }
  | { readonly kind: 'choice'; readonly options: readonly GrammarSpec[] };

/** Bytes of every token: those of `id` are `bytes[offsets[id]..offsets[id + 1]]`, none for tokens that are no text. */
export interface TokenVocabulary {
  readonly bytes: Uint8Array;
  /** V + 1 entries. */
  readonly offsets: Uint32Array;
}
