export type { EngineSpec } from './engine-spec.ts';
export { MANIFEST_FILE, ManifestSchema, manifestToWire, SCHEMA_VERSION } from './manifest.ts';
export { openArtifact, readManifest, type VerifyMode } from './open.ts';
export { acceptancePriorOf, engineSpecOf, servedDraft } from './served.ts';
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
} from './types.ts';
export { listUnitNames, parseUnit } from './units.ts';
export { type ArtifactParts, type ManifestContent, type WriteOptions, writeArtifact } from './write.ts';
