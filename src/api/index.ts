export * from './answer-schemas.ts';
export type * from './answers.ts';
export { type ChatBody, type ChatRequest, ChatSchema, type Message, type MessageBody } from './chat.ts';
export { type CompletionBody, type CompletionRequest, CompletionSchema, type Prompt } from './completions.ts';
export type { GenerationBody, GenerationOptions, SpeculativeBody } from './generation.ts';
export { parseBody } from './parse.ts';
export type {
  AnswerSchema,
  JsonSchemaBody,
  ResponseFormatBody,
} from './response-format.ts';
export {
  type InputItemBody,
  type ResponsesBody,
  type ResponsesRequest,
  ResponsesSchema,
  type TextFormatBody,
} from './responses.ts';
export * from './responses-answer-schemas.ts';
export type * from './responses-answers.ts';
export * from './tokenize.ts';
export type { ToolBody, ToolCallBody, ToolChoiceBody, ToolUse } from './tools.ts';
