/** What the main thread asks of the tokenizer's thread. */
export interface EncodeQuestion {
  readonly id: number;
  readonly text: string;
  readonly addSpecialTokens: boolean;
}

/** What it answers, in the order of the questions. */
export type EncodeAnswer =
  | { readonly id: number; readonly ids: number[] }
  | { readonly id: number; readonly problem: string };
