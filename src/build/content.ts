import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type {
  CalibrationFacts,
  ManifestContent,
  ManifestDraft,
  MeasuredFacts,
  TargetFacts,
} from '../artifact/index.ts';
import type { ScoreResult, CalibrationFacts as ScoringFacts } from '../fit/index.ts';
import type { ServingGraph } from '../graph/index.ts';
import type { ModelFolder } from '../hf/index.ts';
import type { Candidate } from './candidates.ts';
import type { BuildSettings } from './settings.ts';

/** What a build found out. */
export interface Findings {
  readonly target: ServingGraph;
  readonly targetFacts: TargetFacts;
  readonly scores: ScoreResult;
  readonly facts: ScoringFacts;
  readonly candidates: readonly Candidate[];
  readonly measured: MeasuredFacts;
}

/** What of the manifest depends on what a person asked for. */
type Wishes = Pick<BuildSettings, 'seed' | 'calibrationFile'> & {
  readonly modelDir: string;
  readonly name?: string | undefined;
};

/** The manifest's content, but for hashes and versions. */
export async function describeBuild(
  wishes: Wishes,
  folder: ModelFolder,
  { target, targetFacts, scores, facts, candidates, measured }: Findings,
): Promise<ManifestContent> {
  return {
    name: wishes.name ?? basename(resolve(wishes.modelDir)),
    model: folder.config,
    generation: folder.generation,
    target: targetFacts,
    scores: {
      method: scores.method,
      units: scores.units,
      layers: scores.layers,
      matrix: scores.matrix ?? null,
    },
    drafts: candidates.map((candidate) => describeDraft(candidate, facts)),
    calibration: await describeCalibration(wishes, facts),
    engine: target.spec,
    measured,
  };
}

function describeDraft(candidate: Candidate, { tokens, sequences }: ScoringFacts): ManifestDraft {
  const { name, plan, keptShare, extraBytes, predictedLoss, graph } = candidate;
  // Of each sequence the first token is predicted by nothing.
  const predictedTokens = tokens / sequences - 1;
  return {
    name,
    ...plan,
    keptShare,
    extraBytes,
    predictedKl: predictedLoss === null ? null : predictedLoss / predictedTokens,
    graph: graph.spec.graph,
    isDraft: graph.spec.inputs.isDraft,
    slots: graph.spec.draftSlots,
  };
}

async function describeCalibration(
  { calibrationFile, seed = 0 }: Wishes,
  facts: ScoringFacts,
): Promise<CalibrationFacts> {
  const reasons = { stable: 'stable', cap: 'cap', exhausted: 'data', unmeasured: 'none' } as const;
  const { sequences, tokens, relativeStandardError } = facts;
  return {
    source: calibrationFile === undefined ? 'self' : 'file',
    fileSha256: calibrationFile === undefined ? null : await sha256(calibrationFile),
    seed,
    sequences,
    tokens,
    relativeStandardError: Number.isFinite(relativeStandardError) ? relativeStandardError : null,
    stoppedBy: reasons[facts.stoppedBy],
  };
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
