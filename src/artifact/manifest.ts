import * as v from 'valibot';
import { TARGET_WEIGHTS_FILE } from '../lib/model-files.ts';
import { listUnitNames } from '../lib/units.ts';
import type { Unit } from '../plan/types.ts';
import { snakeKeys } from './case.ts';
import { formatJson, roundFloats } from './json.ts';
import { CalibrationSchema, DraftsSchema, FilesSchema, ScoresSchema, TargetSchema } from './schema-build.ts';
import { count, described, text } from './schema-fields.ts';
import { MeasuredSchema } from './schema-measured.ts';
import { EngineSchema, GenerationSchema, ModelSchema } from './schema-model.ts';
import type { Manifest } from './types.ts';

/** Rises with every change that an older reader would misunderstand. */
export const SCHEMA_VERSION = 3;
export const MANIFEST_FILE = 'manifest.json';

const wire = v.strictObject({
  schema_version: count('Version of this schema; a reader refuses newer ones', 'version'),
  sdfp_version: text('Version of sdfp that wrote the artifact'),
  name: text('Name under which the model is served'),
  files: FilesSchema,
  model: ModelSchema,
  generation: GenerationSchema,
  target: TargetSchema,
  scores: ScoresSchema,
  drafts: DraftsSchema,
  calibration: CalibrationSchema,
  engine: EngineSchema,
  measured: described(
    v.nullable(MeasuredSchema),
    'What one machine measured, the only part that differs between builds of the same inputs and seed; null: not measured',
  ),
});

/** manifest.json, from its wire form (snake_case) to {@linkcode Manifest}; keys it does not know are refused. */
export const ManifestSchema: v.GenericSchema<unknown, Manifest> = v.pipe(
  wire,
  v.transform(({ schema_version, sdfp_version, ...sections }) => ({
    schemaVersion: schema_version,
    sdfpVersion: sdfp_version,
    ...sections,
  })),
  v.check(
    ({ scores, model }) => hasUnits(scores.units, model.numLayers),
    'scores.units are not the 2L units in order',
  ),
  v.check(({ scores, model }) => scores.layers.length === model.numLayers, 'scores.layers are not L numbers'),
  v.check(({ scores }) => isSquare(scores.matrix, scores.units.length), 'scores.matrix is not 2L x 2L'),
  v.check(
    ({ drafts, model }) =>
      drafts.every((draft) => listUnits(draft).every(({ layer }) => layer < model.numLayers)),
    'drafts name a layer beyond the last',
  ),
  v.check(
    ({ drafts, engine }) =>
      drafts.every(({ vocabulary = [] }) => (vocabulary.at(-1) ?? 0) < engine.vocabSize),
    'a vocabulary of drafts has a token beyond the last',
  ),
  v.check(({ drafts }) => drafts.every(namesUnitsOnce), 'a draft names a unit twice'),
  v.check(
    ({ engine, drafts, files }) => [engine, ...drafts].every(({ graph }) => isGraph(graph, files)),
    'a graph of engine or drafts is not among the files of role graph',
  ),
  v.check(
    ({ target, files }) => target.precision === 'stored' || hasTargetWeights(files),
    `target.precision is int4, and ${TARGET_WEIGHTS_FILE} is not among the files of role weights`,
  ),
  v.check(
    ({ engine, drafts }) =>
      [engine.draftSlots, ...drafts.map(({ slots }) => slots)].every((slots) => hasSlots(engine, slots)),
    'draft_slots or slots name a slot that engine.inputs lacks',
  ),
  v.check(
    ({ drafts, measured }) => namesDrafts(drafts, measured),
    'measured names a draft that is not among the drafts',
  ),
);

/** The wire form of `manifest`, keys in the order of the schema whatever order they came in. Throws valibot's ValiError where the schema is broken. */
export function manifestToWire(manifest: Manifest): Record<string, unknown> {
  return toWire(v.parse(ManifestSchema, toWire(manifest)));
}

function toWire(manifest: Manifest): Record<string, unknown> {
  const names = (units: readonly Unit[] = []) => units.map(({ layer, block }) => `${layer}.${block}`);
  const drafts = manifest.drafts.map(({ dropped, int4, int8, ...rest }) => ({
    ...rest,
    dropped: names(dropped),
    int4: names(int4),
    int8: names(int8),
  }));
  return snakeKeys({ ...manifest, drafts });
}

function hasUnits(units: Manifest['scores']['units'], numLayers: number): boolean {
  // The length comes first: a manifest may claim any number of layers, and no list of that length is made.
  if (units.length !== 2 * numLayers) return false;
  const names = listUnitNames(numLayers);
  return units.every(({ name }, index) => name === names[index]);
}

function isSquare(matrix: Manifest['scores']['matrix'], size: number): boolean {
  return matrix === null || (matrix.length === size && matrix.every((row) => row.length === size));
}

function isGraph(name: string, files: Manifest['files']): boolean {
  return files.some((file) => file.name === name && file.role === 'graph');
}

function hasTargetWeights(files: Manifest['files']): boolean {
  return files.some(({ name, role }) => name === TARGET_WEIGHTS_FILE && role === 'weights');
}

function hasSlots({ inputs }: Manifest['engine'], slots: readonly number[]): boolean {
  const known = inputs.pastKeys.length;
  return known === inputs.pastValues.length && slots.every((slot) => slot < known);
}

function listUnits({ dropped, int4 = [], int8 = [] }: Manifest['drafts'][number]): readonly Unit[] {
  return [...dropped, ...int4, ...int8];
}

function namesUnitsOnce(draft: Manifest['drafts'][number]): boolean {
  const units = listUnits(draft);
  return new Set(units.map(({ layer, block }) => `${layer}.${block}`)).size === units.length;
}

function namesDrafts(drafts: Manifest['drafts'], measured: Manifest['measured']): boolean {
  if (measured === null) return true;
  const names = new Set(drafts.map(({ name }) => name));
  const { servedDraft, candidates } = measured;
  return candidates.every(({ name }) => names.has(name)) && (servedDraft === null || names.has(servedDraft));
}

/** The text of manifest.json: the same for the same inputs, whatever order their keys came in. */
export function formatManifest(manifest: Manifest): string {
  const { measured, ...built } = manifestToWire(manifest);
  return `${formatJson({ ...roundFloats(built), measured })}\n`;
}
