/** The build side on one page: read, calibrate, score, propose drafts, measure them, write the artifact. */
import { type Artifact, prepareDestination, writeArtifact } from './artifact/index.ts';
import { proposeDrafts, reducedHeadsOf, roundingsOf } from './build/candidates.ts';
import { describeBuild } from './build/content.ts';
import { measureCandidates } from './build/measure-candidates.ts';
import { prepareReport } from './build/report.ts';
import { scoreText } from './build/scoring.ts';
import { openStage } from './build/stage.ts';
import { describeTarget } from './build/target.ts';
import { readBuildText, sampleBuildText, take } from './build/text.ts';
import type { MethodName } from './fit/index.ts';
import { buildServingGraph } from './graph/index.ts';
import { readModelFolder, type TargetPrecision } from './hf/index.ts';
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
  /** Weights of the target; default `stored`. With `int4` the artifact goes without the model's own file. */
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
  readonly stage: 'read' | 'sample' | 'round' | 'calibrate' | 'measure' | 'report' | 'write';
  /** In words, e.g. how many sequences were scored. */
  readonly detail: string;
  /** Of the stage, 0..1. */
  readonly share: number;
}

/** Some 256,000 tokens: what they say of rare ones changes little with more. */
const MOST_COUNTED_SEQUENCES = 1000;

/**
 * Bakes the artifact of a Hugging Face model folder. Outside its `measured` section an artifact is the same for the
 * same inputs and seed. Throws SdfpError; an abort raises the signal's reason. A model that cannot be read, tokenizer
 * included, and a place that cannot be written to are refused before anything is computed.
 */
export async function bake(options: BakeOptions): Promise<Artifact> {
  const { modelDir, outDir, keep, draftMemoryBytes, targetPrecision, signal, onProgress } = options;
  const { method = 'fit', seed = 0, report = true } = options;
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
  // Text, scores and what they rest on are of the model as stored: no gradient passes a rounded product.
  const served = targetPrecision === 'int4' ? roundedFolder(folder, folder.dir) : folder;
  const target = buildServingGraph(served, { dropped: [] });
  const roundings: Rounding[] = draftMemoryBytes === 0 || served !== folder ? [] : ['int8', 'int4'];
  // A rounded target is compared with the stored one afterwards, which takes about as long.
  const writing = served === folder ? 1 : 0.5;
  await using stage = await openStage(folder, {
    outDir: destination.dir,
    targetPrecision,
    roundings,
    signal,
    onProgress: (detail, share) => onProgress?.({ stage: 'round', detail, share: writing * share }),
  });
  const targetFacts = await describeTarget({
    stored: folder,
    target: { ...served, dir: stage.dir },
    heldOut: text.unseen,
    signal,
    onProgress: (detail, share) =>
      onProgress?.({ stage: 'round', detail, share: writing + (1 - writing) * share }),
  });
  const {
    result: scores,
    facts,
    scored,
    compared,
  } = await scoreText(folder, text, {
    method,
    seed,
    rounded: { roundings, weightsDir: stage.dir },
    compare: report,
    signal,
    onProgress: (detail, share) => onProgress?.({ stage: 'calibrate', detail, share }),
  });
  // To be counted, a file is read on from its start; text that is sampled takes too long for more than was scored.
  const isFile = options.calibrationFile !== undefined && draftMemoryBytes !== 0;
  const counted = isFile ? await take(text.calibration, MOST_COUNTED_SEQUENCES, { signal }) : scored;
  await text[Symbol.asyncDispose](); // its engine would compete with those that are measured
  const candidates = proposeDrafts(served, scores, { keep, draftMemoryBytes }, counted);
  await stage.addReducedHeads(reducedHeadsOf(candidates));
  const measured = await measureCandidates(target, candidates, {
    weightsDir: stage.dir,
    heldOut: text.heldOut,
    mustServe: keep !== undefined,
    signal,
    onProgress: (detail, share) => onProgress?.({ stage: 'measure', detail, share }),
  });
  const extras = !report
    ? undefined
    : await prepareReport(options, {
        folder,
        codec,
        weightsDir: stage.dir,
        scores,
        scored: compared,
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
  const used = roundingsOf(candidates);
  const weights = stage.weights.filter(
    ({ rounding }) => rounding === served.precision || used.includes(rounding),
  );
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
