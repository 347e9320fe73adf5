/** Schemas of what sdfp reads and writes: `sdfp/schema`. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { ManifestSchema } from './artifact/manifest.ts';

export { ChatSchema, CompletionSchema, DetokenizeSchema, TokenizeSchema } from './api/index.ts';
export { ManifestSchema, SCHEMA_VERSION } from './artifact/manifest.ts';
export type {
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
  TargetLoss,
} from './artifact/types.ts';

/** manifest.json as JSON Schema (draft 2020-12), every field with its description and, where it is a number, its `unit`. */
export function manifestJsonSchema(): Record<string, unknown> {
  // Checks across fields (a matrix as wide as the list of units) have no words in JSON Schema; the rest is complete.
  const schema = toJsonSchema(ManifestSchema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    errorMode: 'ignore',
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Manifest of an sdfp artifact',
    ...schema,
  };
}
