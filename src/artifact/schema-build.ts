import * as v from 'valibot';
import { parseUnit, UNIT_NAME } from '../lib/units.ts';
import type { Unit } from '../plan/types.ts';
import { camelKeys } from './case.ts';
import { amount, count, described, flag, orNull, real, share, text, textLike } from './schema-fields.ts';
import type { ArtifactFile, CalibrationFacts, ManifestDraft, ManifestScores, TargetFacts } from './types.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/** A path that stays inside its folder on every system: parts of plain characters between `/`, no `..`, no drive. */
export const SAFE_NAME: RegExp = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\\/:\0]+(?:\/[^\\/:\0]+)*$/;

const file = v.strictObject({
  name: textLike(SAFE_NAME, "Path relative to the artifact's folder, with /, never outside of it"),
  role: described(
    v.picklist(['source', 'graph', 'weights']),
    'source: as the model folder has it; written by the build: graph, and weights, rounded ones of target and drafts',
  ),
  bytes: count('Size', 'bytes'),
  sha256: textLike(SHA256, 'SHA-256 of the content, hexadecimal'),
  checked_fast: flag('Whether the fast mode of opening hashes it too; sizes are always compared'),
});

/** Every file that the artifact relies on, once. */
export const FilesSchema: v.GenericSchema<unknown, ArtifactFile[]> = v.pipe(
  described(v.array(file), 'Every file that the artifact relies on'),
  v.check((files) => new Set(files.map(({ name }) => name)).size === files.length, 'a file is listed twice'),
  v.transform((wire) => camelKeys(wire)),
);

/** Precision of the target, and what it costs. */
export const TargetSchema: v.GenericSchema<unknown, TargetFacts> = v.pipe(
  described(
    v.strictObject({
      precision: described(
        v.picklist(['stored', 'int4']),
        "stored: the checkpoint's weights; int4: products by weights of 4 bits, all else as stored",
      ),
      loss: described(
        v.nullable(
          v.strictObject({
            sequences: count('Sequences that no score has seen', 'sequences'),
            tokens: count('Predicted tokens in them', 'tokens'),
            stored_nll_per_token: amount(
              'Mean negative log likelihood of a token, of the model as stored',
              'nats per token',
            ),
            nll_per_token: amount('The same of the target', 'nats per token'),
            agreement: share('Positions at which both find the same next token most likely'),
          }),
        ),
        'What rounding has changed; null: nothing is rounded, or no held-out text had two tokens',
      ),
    }),
    'The target, which verifies every token: what is lossless is so against it',
  ),
  v.transform((wire) => camelKeys(wire)),
);

/** Scores in the order of units. */
export const ScoresSchema: v.GenericSchema<unknown, ManifestScores> = v.pipe(
  described(
    v.strictObject({
      method: text('Name of the scoring method, as `sdfp score --method` takes it'),
      units: described(
        v.array(
          v.strictObject({
            name: textLike(UNIT_NAME, 'Layer and block: 3.attn, 7.mlp'),
            score: real('Low: removing the unit matters little', 'method-specific; `fit`: nats per sequence'),
          }),
        ),
        '2L prunable units in the order 0.attn, 0.mlp, 1.attn, ...',
      ),
      layers: described(
        v.array(real('Score of a layer', 'as the units')),
        'L scores of whole layers',
        'as the units',
      ),
      matrix: described(
        v.nullable(v.array(v.array(real('Interaction', 'as the units')))),
        '2L x 2L Fisher information of the gates, rows and columns in the order of units; null: the method has none',
        'nats per sequence',
      ),
    }),
    'How much each prunable unit matters',
  ),
  v.transform((wire) => camelKeys(wire)),
);

const unitList = (description: string) =>
  described(v.array(textLike(UNIT_NAME, 'Layer and block')), description);

const draft = v.pipe(
  v.strictObject({
    name: text('Name of the draft, unique here'),
    dropped: unitList('Units that the draft skips, in order of layers'),
    int4: v.optional(
      unitList(
        "Units that it computes with weights rounded to 4 bits; of a target of int4 these are the target's own, and activations are rounded to 8 bits",
      ),
      [],
    ),
    int8: v.optional(
      unitList('Units that it computes with weights rounded to 8 bits; all others are shared'),
      [],
    ),
    head: v.optional(
      described(v.picklist(['shared', 'int8', 'int4']), "The draft's LM head; shared: the target's own"),
      'shared',
    ),
    vocabulary: v.exactOptional(
      described(
        v.pipe(
          v.array(count('Token id', 'token id')),
          v.nonEmpty(),
          v.check((ids) => isAscending(ids), 'ids do not ascend'),
        ),
        'Tokens that the draft may propose, ids ascending: its rounded head has rows for these alone; absent: all',
        'token ids',
      ),
    ),
    kept_share: share('Share of the block weights that the draft keeps'),
    extra_bytes: v.optional(count('Rounded weights that the draft loads beside the target', 'bytes'), 0),
    predicted_kl: v.optional(
      orNull(
        amount,
        'KL divergence of the draft from the target that the scores predict; null: the method predicts none',
        'nats per token',
      ),
      null,
    ),
    graph: text('File name of the ONNX graph that holds target and draft'),
    is_draft: described(
      v.nullable(text('Input name')),
      'bool [1]: true runs the draft; null: it differs from the target in nothing',
    ),
    slots: described(
      v.array(count('Index into engine.inputs.past_keys', 'cache slots')),
      'Cache slots that a draft step writes; a target step writes all',
      'cache slots',
    ),
  }),
  v.check(
    ({ head, vocabulary }) => head !== 'shared' || vocabulary === undefined,
    'a draft with a vocabulary has no head of its own',
  ),
  v.transform(({ dropped, int4, int8, ...rest }) => ({
    dropped: toUnits(dropped),
    int4: toUnits(int4),
    int8: toUnits(int8),
    ...camelKeys(rest),
  })),
);

function isAscending(ids: readonly number[]): boolean {
  return ids.every((id, i) => i === 0 || id > ids[i - 1]!);
}

/** The pattern of the schema lets only unit names through, so none is lost here. */
function toUnits(names: readonly string[]): Unit[] {
  return names.flatMap((name) => parseUnit(name) ?? []);
}

/** The drafts that the scores propose. */
export const DraftsSchema: v.GenericSchema<unknown, ManifestDraft[]> = described(
  v.pipe(
    v.array(draft),
    v.check(
      (drafts) => new Set(drafts.map(({ name }) => name)).size === drafts.length,
      'two drafts have one name',
    ),
  ),
  'Drafts to choose from; which one is served, measured.served_draft says',
);

/** The text that the scores were taken on. */
export const CalibrationSchema: v.GenericSchema<unknown, CalibrationFacts> = v.pipe(
  described(
    v.strictObject({
      source: described(
        v.picklist(['self', 'file']),
        'self: sampled by the model itself; file: given with --calibration',
      ),
      file_sha256: described(
        v.nullable(textLike(SHA256, 'SHA-256')),
        "SHA-256 of the file's content; null for self",
      ),
      seed: count('Seed of the sampled text and of the order of sequences', '32-bit number'),
      sequences: count('Sequences scored', 'sequences'),
      tokens: count('Tokens scored', 'tokens'),
      relative_standard_error: orNull(
        amount,
        "Standard error of a unit's score over the score, for the median unit, FIT's criterion of stability; null: one sequence, or a method that measures nothing",
        'ratio',
      ),
      stopped_by: described(
        v.picklist(['stable', 'cap', 'data', 'none']),
        'stable: the error fell below its limit; cap: most sequences allowed; data: the file ended; none: the method needs no text',
      ),
    }),
    'Text that the scores were taken on',
  ),
  v.transform((wire) => camelKeys(wire)),
);
