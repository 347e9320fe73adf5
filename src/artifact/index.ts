export type { EngineSpec } from './engine-spec.ts';
export { EXTRA_MARK, type ExtraFile } from './extras.ts';
export { MANIFEST_FILE, ManifestSchema, manifestToWire, SCHEMA_VERSION } from './manifest.ts';
export { openArtifact, readManifest, type VerifyMode } from './open.ts';
export { placeFile } from './place.ts';
export { acceptancePriorOf, engineSpecOf, servedDraft } from './served.ts';
export { clearStaleTemporaries, temporaryName } from './temporary.ts';
export {
  chooseThreads,
  describeMeasuredThreads,
  describeThreads,
  type ThreadChoice,
} from './threads.ts';
export type {
  Artifact,
  ArtifactFile,
  CalibrationFacts,
  MachineFacts,
  Manifest,
  ManifestDraft,
  ManifestScores,
  MeasuredCandidate,
  MeasuredCosts,
  MeasuredFacts,
  MeasuredThreadCount,
  MeasuredThreads,
  TargetFacts,
} from './types.ts';
export { prepareDestination, writingTo } from './writable.ts';
export { type ArtifactParts, type ManifestContent, type WriteOptions, writeArtifact } from './write.ts';
