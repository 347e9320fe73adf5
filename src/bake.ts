/** The build side on one page: read, calibrate, score, propose drafts, measure them, write the artifact. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import {
  type Artifact,
  type CalibrationFacts,
  type ManifestContent,
  type ManifestDraft,
  writeArtifact,
} from './artifact/index.ts';
import { type Candidate, proposeDrafts } from './build/candidates.ts';
import { measureCandidates } from './build/measure-candidates.ts';
import { type BuildText, readBuildText, sampleBuildText } from './build/text.ts';
import {
  type CalibrationProgress,
  findMethod,
  type MethodName,
  openScorer,
  type ScoreResult,
  type CalibrationFacts as ScoringFacts,
  scoreUntilStable,
} from './fit/index.ts';
import { buildServingGraph } from './graph/index.ts';
import { type ModelFolder, readModelFolder } from './hf/index.ts';

/** What a build is told. */
export interface BakeOptions {
  readonly modelDir: string;
  readonly outDir: string;
  /** Name under which the model is served; default: the folder's. */
  readonly name?: string | undefined;
  /** Default `fit`. */
  readonly method?: MethodName | undefined;
  /** Share of the units that the draft keeps, 0..1; default: whichever candidate is fastest on this machine. */
  readonly keep?: number | undefined;
  /** Of the sampled text; default 0. */
  readonly seed?: number | undefined;
  /** Text to calibrate on (.txt or .jsonl); default: text that the model writes itself. */
  readonly calibrationFile?: string | undefined;
  /** Copy the model's files instead of hard-linking them. */
  readonly copy?: boolean | undefined;
  /** Aborting it ends the build between two runs of the model; nothing half-written is left. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BakeProgress) => void) | undefined;
}

/** How far a build is. */
export interface BakeProgress {
  readonly stage: 'read' | 'calibrate' | 'measure' | 'write';
  /** In words, e.g. how many sequences were scored. */
  readonly detail: string;
  /** Of the stage, 0..1. */
  readonly share: number;
}

/**
 * Bakes the artifact of a Hugging Face model folder. Outside its `measured` section an artifact is the same for the
 * same inputs and seed. Throws SdfpError; an abort raises the signal's reason.
 */
export async function bake(options: BakeOptions): Promise<Artifact> {
  const { modelDir, outDir, keep, seed = 0, signal, onProgress } = options;
  onProgress?.({ stage: 'read', detail: modelDir, share: 0 });
  const folder = await readModelFolder(modelDir);
  const target = buildServingGraph(folder, { dropped: [] });
  await using text =
    options.calibrationFile === undefined
      ? await sampleBuildText(folder, target, seed)
      : await readBuildText(folder, options.calibrationFile);
  const { result: scores, facts } = await score(folder, text, options);
  await text[Symbol.asyncDispose](); // its engine would compete with those that are measured
  const candidates = proposeDrafts(folder, scores, keep);
  const measured = await measureCandidates(target, candidates, {
    weightsDir: folder.dir,
    heldOut: text.heldOut,
    mustServe: keep !== undefined,
    signal,
    onProgress: (detail, share) => onProgress?.({ stage: 'measure', detail, share }),
  });
  onProgress?.({ stage: 'write', detail: outDir, share: 0 });
  const content: ManifestContent = {
    name: options.name ?? basename(resolve(modelDir)),
    model: folder.config,
    generation: folder.generation,
    scores: { ...scores, matrix: scores.matrix ?? null },
    drafts: candidates.map(describeDraft),
    calibration: await describeCalibration(options, facts),
    engine: target.spec,
    measured,
  };
  const graphs = [target, ...candidates.map(({ graph }) => graph)].map(({ spec, bytes }) => ({
    name: spec.graph,
    bytes,
  }));
  const parts = { modelDir: folder.dir, sourceFiles: folder.files, graphs, content };
  return writeArtifact(outDir, parts, {
    copy: options.copy ?? false,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function score(
  folder: ModelFolder,
  text: BuildText,
  { method = 'fit', seed = 0, signal, onProgress }: BakeOptions,
): Promise<{ readonly result: ScoreResult; readonly facts: ScoringFacts }> {
  const startMs = performance.now();
  const scorer = await openScorer(folder, findMethod(method), { seed });
  try {
    return await scoreUntilStable(scorer, text.calibration, {
      seed,
      onProgress: (progress) => onProgress?.(describeProgress(progress, performance.now() - startMs)),
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    scorer.dispose();
  }
}

function describeProgress(progress: CalibrationProgress, spentMs: number): BakeProgress {
  const { sequences, relativeStandardError, remainingMs } = progress;
  const error = Number.isFinite(relativeStandardError)
    ? `${(100 * relativeStandardError).toFixed(1)} %`
    : '?';
  return {
    stage: 'calibrate',
    detail: `${sequences} sequences, standard error ${error}`,
    share: spentMs / (spentMs + remainingMs),
  };
}

function describeDraft({ name, dropped, keptShare, graph: { spec } }: Candidate): ManifestDraft {
  return {
    name,
    dropped,
    keptShare,
    graph: spec.graph,
    isDraft: spec.inputs.isDraft,
    slots: spec.draftSlots,
  };
}

async function describeCalibration(
  { calibrationFile, seed = 0 }: BakeOptions,
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
