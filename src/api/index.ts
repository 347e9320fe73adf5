export type * from './answers.ts';
export { type ChatBody, type ChatRequest, ChatSchema, type Message, type MessageBody } from './chat.ts';
export { type CompletionBody, type CompletionRequest, CompletionSchema, type Prompt } from './completions.ts';
export type { GenerationBody, GenerationOptions, SpeculativeBody } from './generation.ts';
export { parseBody } from './parse.ts';
export * from './tokenize.ts';
