/** The build side on one page: read, calibrate, score, propose drafts, measure them, write the artifact. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import {
  type Artifact,
  type CalibrationFacts,
  type ManifestContent,
  type ManifestDraft,
  type MeasuredFacts,
  prepareDestination,
  type TargetFacts,
  writeArtifact,
} from './artifact/index.ts';
import { type Candidate, proposeDrafts } from './build/candidates.ts';
import { measureCandidates } from './build/measure-candidates.ts';
import { prepareReport } from './build/report.ts';
import { openStage } from './build/stage.ts';
import { describeTarget } from './build/target.ts';
import { type BuildText, readBuildText, sampleBuildText, take } from './build/text.ts';
import {
  type CalibrationProgress,
  findMethod,
  type MethodName,
  openScorer,
  type ScoreResult,
  type CalibrationFacts as ScoringFacts,
  scoreUntilStable,
} from './fit/index.ts';
import { buildServingGraph, type ServingGraph } from './graph/index.ts';
import { type ModelFolder, readModelFolder, type TargetPrecision } from './hf/index.ts';
import { type Rounding, roundedFolder } from './quant/index.ts';
import { loadTextCodec } from './text/index.ts';

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
  /** Most bytes of weights that the draft may have beside the target's; 0: shared weights only. Default: no limit. */
  readonly draftMemoryBytes?: number | undefined;
  /** Weights of the target; default `stored`. With `int4` the artifact needs none of the model's own weights. */
  readonly targetPrecision?: TargetPrecision | undefined;
  /** Of the sampled text; default 0. */
  readonly seed?: number | undefined;
  /** Text to calibrate on (.txt or .jsonl); default: text that the model writes itself. */
  readonly calibrationFile?: string | undefined;
  /** Copy the model's files instead of hard-linking them. */
  readonly copy?: boolean | undefined;
  /** Measure and write report.html and report.md too; default true. */
  readonly report?: boolean | undefined;
  /** Aborting it ends the build between two runs of the model; nothing half-written is left. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BakeProgress) => void) | undefined;
}

/** How far a build is. */
export interface BakeProgress {
  readonly stage: 'read' | 'sample' | 'calibrate' | 'round' | 'measure' | 'report' | 'write';
  /** In words, e.g. how many sequences were scored. */
  readonly detail: string;
  /** Of the stage, 0..1. */
  readonly share: number;
}

/**
 * Bakes the artifact of a Hugging Face model folder. Outside its `measured` section an artifact is the same for the
 * same inputs and seed. Throws SdfpError; an abort raises the signal's reason. A model that cannot be read, tokenizer
 * included, and a place that cannot be written to are refused before anything is computed.
 */
export async function bake(options: BakeOptions): Promise<Artifact> {
  const { modelDir, outDir, keep, draftMemoryBytes, targetPrecision, seed = 0, signal, onProgress } = options;
  onProgress?.({ stage: 'read', detail: modelDir, share: 0 });
  const folder = await readModelFolder(modelDir);
  const codec = await loadTextCodec(folder.dir);
  const destination = await prepareDestination(outDir, folder.dir);
  signal?.throwIfAborted();
  const stored = buildServingGraph(folder, { dropped: [] });
  await using text =
    options.calibrationFile === undefined
      ? await sampleBuildText(folder, stored, {
          seed,
          signal,
          onProgress: (detail, share) => onProgress?.({ stage: 'sample', detail, share }),
        })
      : await readBuildText(folder, codec, options.calibrationFile);
  const { result: scores, facts, scored } = await score(folder, text, options);
  await text[Symbol.asyncDispose](); // its engine would compete with those that are measured
  // Scores and text are of the model as stored: no gradient passes a rounded product.
  const served = targetPrecision === 'int4' ? roundedFolder(folder, folder.dir) : folder;
  const target = buildServingGraph(served, { dropped: [] });
  const candidates = proposeDrafts(served, scores, { keep, draftMemoryBytes });
  const onRounding = (detail: string, share: number) => onProgress?.({ stage: 'round', detail, share });
  await using stage = await openStage(folder, {
    outDir: destination.dir,
    targetPrecision,
    roundings: roundingsOf(candidates).filter((rounding) => rounding !== served.precision),
    signal,
    onProgress: onRounding,
  });
  const targetFacts = await describeTarget({
    stored: folder,
    target: { ...served, dir: stage.dir },
    heldOut: text.unseen,
    signal,
    onProgress: onRounding,
  });
  const measured = await measureCandidates(target, candidates, {
    weightsDir: stage.dir,
    heldOut: text.heldOut,
    mustServe: keep !== undefined,
    signal,
    onProgress: (detail, share) => onProgress?.({ stage: 'measure', detail, share }),
  });
  const extras =
    options.report === false
      ? undefined
      : await prepareReport(options, {
          folder,
          codec,
          weightsDir: stage.dir,
          scores,
          scored,
          heldOut: text.unseen,
          prompts: text.heldOut,
          target,
          candidates,
          measured,
          seed,
          signal,
          onProgress: (detail, share) => onProgress?.({ stage: 'report', detail, share }),
        });
  onProgress?.({ stage: 'write', detail: outDir, share: 0 });
  const content = await describeBuild(options, folder, {
    target,
    targetFacts,
    scores,
    facts,
    candidates,
    measured,
  });
  const graphs = [target, ...candidates.map(({ graph }) => graph)].map(({ spec, bytes }) => ({
    name: spec.graph,
    bytes,
  }));
  const { weights } = stage;
  const parts = {
    modelDir: folder.dir,
    sourceFiles: served.files,
    graphs,
    weights,
    content,
    ...(extras && { extras }),
  };
  // Awaited here: the rounded weights are taken from the stage, which goes when this function ends.
  return await writeArtifact(outDir, parts, {
    copy: options.copy ?? false,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What a build found out. */
interface Findings {
  readonly target: ServingGraph;
  readonly targetFacts: TargetFacts;
  readonly scores: ScoreResult;
  readonly facts: ScoringFacts;
  readonly candidates: readonly Candidate[];
  readonly measured: MeasuredFacts;
}

async function describeBuild(
  options: BakeOptions,
  folder: ModelFolder,
  { target, targetFacts, scores, facts, candidates, measured }: Findings,
): Promise<ManifestContent> {
  return {
    name: options.name ?? basename(resolve(options.modelDir)),
    model: folder.config,
    generation: folder.generation,
    target: targetFacts,
    scores: { ...scores, matrix: scores.matrix ?? null },
    drafts: candidates.map(describeDraft),
    calibration: await describeCalibration(options, facts),
    engine: target.spec,
    measured,
  };
}

/** For the comparison in the report, where the method in use has read nothing. */
const COMPARED_SEQUENCES = 8;

/** Scores, what they rest on, and the sequences that were read for them. */
interface Scoring {
  readonly result: ScoreResult;
  readonly facts: ScoringFacts;
  readonly scored: readonly (readonly number[])[];
}

async function score(
  folder: ModelFolder,
  text: BuildText,
  { method = 'fit', seed = 0, report = true, signal, onProgress }: BakeOptions,
): Promise<Scoring> {
  const startMs = performance.now();
  const scorer = await openScorer(folder, findMethod(method), { seed });
  const scored: (readonly number[])[] = [];
  try {
    const done = await scoreUntilStable(scorer, remember(text.calibration, scored), {
      seed,
      onProgress: (progress) => onProgress?.(describeProgress(progress, performance.now() - startMs)),
      ...(signal === undefined ? {} : { signal }),
    });
    // A method that reads no text leaves none to compare the others on.
    const isUnread = report && scored.length === 0;
    return { ...done, scored: isUnread ? await take(text.calibration, COMPARED_SEQUENCES) : scored };
  } finally {
    scorer.dispose();
  }
}

/** The items, each kept on its way. */
async function* remember<T>(items: AsyncIterable<T> | Iterable<T>, kept: T[]): AsyncGenerator<T> {
  for await (const item of items) {
    kept.push(item);
    yield item;
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

/** Those that any candidate uses. */
function roundingsOf(candidates: readonly Candidate[]): Rounding[] {
  const isUsed = (rounding: Rounding) =>
    candidates.some(({ plan }) => (plan[rounding] ?? []).length > 0 || plan.head === rounding);
  return (['int4', 'int8'] as const).filter(isUsed);
}

function describeDraft({ name, plan, keptShare, extraBytes, graph: { spec } }: Candidate): ManifestDraft {
  return {
    name,
    ...plan,
    keptShare,
    extraBytes,
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
