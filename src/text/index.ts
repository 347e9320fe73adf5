export { loadTextCodec, type TextCodecOptions } from './codec.ts';
export { createStopFilter, type StopFilter, type StopResult } from './stop-strings.ts';
export { createThreadEncoder, type ThreadEncoder } from './thread/encoder.ts';
export type * from './types.ts';
export { collectTokenBytes } from './vocabulary.ts';
