/** What the report measures beyond the manifest. */
import type { MeasuredFacts } from '../artifact/index.ts';
import { createEngine, DEFAULT_SPECULATION, type LocalEngine } from '../engine/index.ts';
import type { ScoreResult } from '../fit/index.ts';
import type { ServingGraph } from '../graph/index.ts';
import type { ModelFolder } from '../hf/index.ts';
import type { DraftStudy, ExampleText, Study } from '../report/types.ts';
import type { TextCodec } from '../text/index.ts';
import type { Candidate } from './candidates.ts';
import { compareMethods } from './compare-methods.ts';
import { measureLengths } from './draft-lengths.ts';
import { writeExample } from './example-text.ts';

type Ids = readonly number[];

export interface StudyOptions {
  readonly folder: ModelFolder;
  /** The model's own. */
  readonly codec: TextCodec;
  /** Folder of the weights that the graphs name. */
  readonly weightsDir: string;
  readonly scores: ScoreResult;
  /** Sequences that `scores` come from; at most {@linkcode MOST_SCORED} of them are used. */
  readonly scored: readonly Ids[];
  /** Sequences that no score has seen, and the beginnings of them. */
  readonly heldOut: readonly Ids[];
  readonly prompts: readonly Ids[];
  readonly target: ServingGraph;
  readonly candidates: readonly Candidate[];
  readonly measured: MeasuredFacts;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** What is measured now, and the share that is done. */
  readonly onProgress: (detail: string, share: number) => void;
}

/** Bounds the time of a comparison where the scores took long to become stable. */
const MOST_SCORED = 16;
/** Draft length of the example where the engine itself would not draft. */
const EXAMPLE_DRAFT_LENGTH = 3;
const EXAMPLE_TEMPERATURE = 0.7;
/** Shares of the time: comparing methods, running draft lengths; the rest is the example. */
const METHODS_SHARE = 0.65;
const LENGTHS_SHARE = 0.3;

/** Compares the scoring methods, runs the draft at every length and lets it write a text. */
export async function studyBuild(options: StudyOptions): Promise<Study> {
  const { folder, scores, scored, heldOut, seed, signal, onProgress } = options;
  const methods = await compareMethods(folder, {
    scored: scored.slice(0, MOST_SCORED),
    heldOut,
    known: scored.length <= MOST_SCORED ? scores : undefined,
    seed,
    signal,
    onProgress: (detail, share) => onProgress(detail, METHODS_SHARE * share),
  });
  const candidate = chooseCandidate(options);
  const engine = await createEngine({
    prefixCacheBytes: 0,
    graph: (candidate?.graph ?? options.target).bytes,
    spec: (candidate?.graph ?? options.target).spec,
    weightsDir: options.weightsDir,
    acceptancePrior: options.measured.acceptanceByPosition[0],
  });
  try {
    const draft = candidate === undefined ? null : await studyDraft(candidate.name, engine, options);
    onProgress('example text', METHODS_SHARE + LENGTHS_SHARE);
    return { methods, draft, example: await tryExample(engine, options) };
  } finally {
    await engine.dispose();
  }
}

/** The served draft; where none pays, the one that comes closest. */
function chooseCandidate({ candidates, measured }: StudyOptions): Candidate | undefined {
  const best = measured.candidates.toSorted((a, b) => speedOf(b) - speedOf(a))[0];
  const name = measured.servedDraft ?? best?.name;
  return candidates.find((candidate) => candidate.name === name);
}

function speedOf(candidate: MeasuredFacts['candidates'][number]): number {
  return candidate.measuredTokensPerSecond ?? candidate.predictedTokensPerSecond ?? 0;
}

async function studyDraft(
  name: string,
  engine: LocalEngine,
  { prompts, signal, onProgress }: StudyOptions,
): Promise<DraftStudy> {
  const study = await measureLengths({
    engine,
    prompts,
    signal,
    onProgress: (share) => onProgress(`draft lengths of ${name}`, METHODS_SHARE + LENGTHS_SHARE * share),
  });
  return { name, ...study };
}

async function tryExample(engine: LocalEngine, options: StudyOptions): Promise<ExampleText | null> {
  const { folder, codec: text, prompts, measured, signal } = options;
  const promptIds = prompts[0];
  if (promptIds === undefined) return null;
  const draftLength = measured.servedDraft === null ? EXAMPLE_DRAFT_LENGTH : undefined;
  return writeExample({
    engine,
    text,
    promptIds,
    temperature: folder.generation.temperature ?? EXAMPLE_TEMPERATURE,
    speculation: { ...DEFAULT_SPECULATION, draftLength },
    stopTokenIds: folder.generation.eosTokenIds,
    signal,
  });
}
