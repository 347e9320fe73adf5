/** The server-side API: bake an artifact from a model folder, open it, run its engine, serve it. */
export {
  type Artifact,
  engineSpecOf,
  type Manifest,
  openArtifact,
  servedDraft,
  type VerifyMode,
} from './artifact/index.ts';
export { type BakeOptions, type BakeProgress, bake } from './bake.ts';
export { createEngine, type EngineOptions, type LocalEngine } from './engine/index.ts';
export type * from './engine/types.ts';
export { type ErrorCode, isSdfpError, SdfpError } from './lib/errors.ts';
export { type ServeOptions, type ServeOutput, serve } from './serve.ts';
export { type Listen, loadListen } from './server/listen/index.ts';
export { readSettings, type Settings } from './server/settings.ts';
export { loadTextCodec, type TextCodec } from './text/index.ts';
export { type EngineWorker, startEngineWorker } from './worker/index.ts';
