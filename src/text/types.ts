import type { ToolCallForm } from './tool-calls.ts';

export type { ToolCallForm };

/** A chat message as the OpenAI API writes it, content already flattened to text. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly [extra: string]: unknown;
}

/** Turns ids into text one by one; never emits half a character, whatever the token boundaries. */
export interface StreamDecoder {
  /** Text that became certain with this token; may be empty. */
  push(id: number): string;
  /** What is left at the end; bytes that are no UTF-8 become U+FFFD. */
  flush(): string;
}

/** Everything textual about a model: tokenizer.json, tokenizer_config.json and the chat template. */
export interface TextCodec {
  readonly hasChatTemplate: boolean;
  /** Most UTF-16 units of text that one token stands for; undefined: the length of a text says nothing about its tokens. */
  readonly maxUnitsPerToken?: number | undefined;
  /** How the model's chat template has it call functions. */
  readonly toolCallForm: ToolCallForm;
  /** `addSpecialTokens`: what the post-processor adds (BOS); default true. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[];
  /** `skipSpecialTokens`: default true. */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  /** The prompt text of a conversation. Encode it with `addSpecialTokens: false`. Throws SdfpError `invalid_request` without a template. */
  renderChat(
    messages: readonly ChatMessage[],
    options?: { readonly addGenerationPrompt?: boolean; readonly tools?: readonly unknown[] },
  ): string;
  /** `after`: ids that come before (a prompt), so that a leading space is kept or stripped as in the middle of a text. */
  streamDecoder(options?: {
    readonly after?: readonly number[];
    readonly skipSpecialTokens?: boolean;
  }): StreamDecoder;
  /** The raw bytes that a token stands for (a part of a character included). */
  tokenBytes(id: number): Uint8Array;
  /** Whether the token stands for no text, as end and padding tokens do. */
  isSpecial(id: number): boolean;
  /** The token as written in the vocabulary. */
  tokenText(id: number): string;
}
