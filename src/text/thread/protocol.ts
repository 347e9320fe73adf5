/** What the main thread asks of the tokenizer's thread: one text at a time. */
export interface EncodeQuestion {
  readonly text: string;
  readonly addSpecialTokens: boolean;
}

/** What it answers. `isReady`: it listens from now on; Deno drops questions that come before. */
export type EncodeAnswer =
  | { readonly isReady: true }
  | { readonly ids: number[] }
  | { readonly problem: string };
