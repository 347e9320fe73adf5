import {
  type CalibrationFacts,
  type CalibrationProgress,
  findMethod,
  type MethodName,
  openScorer,
  type ScoreResult,
  scoreUntilStable,
} from '../fit/index.ts';
import type { ModelFolder } from '../hf/index.ts';
import type { Rounding } from '../quant/index.ts';
import { type BuildText, take } from './text.ts';

/** For the comparison in the report, where the method in use has read nothing. */
const COMPARED_SEQUENCES = 8;

/** Scores, what they rest on, the sequences that were read for them, and those that methods are compared on. */
export interface Scoring {
  readonly result: ScoreResult;
  readonly facts: CalibrationFacts;
  readonly scored: readonly (readonly number[])[];
  readonly compared: readonly (readonly number[])[];
}

/** What {@linkcode scoreText} is told. */
export interface ScoreTextOptions {
  readonly method: MethodName;
  readonly seed: number;
  /** To score beside removal, with the folder of their weights and the model's. */
  readonly rounded: { readonly roundings: readonly Rounding[]; readonly weightsDir: string };
  /** Keep sequences for a comparison of methods, even where this one reads none. */
  readonly compare: boolean;
  readonly signal: AbortSignal | undefined;
  /** How far it is, and the share of the time that has passed. */
  readonly onProgress: (detail: string, share: number) => void;
}

/** Scores every unit of the model as stored on a build's text, until the scores are stable. */
export async function scoreText(
  folder: ModelFolder,
  text: BuildText,
  { method, seed, rounded, compare, signal, onProgress }: ScoreTextOptions,
): Promise<Scoring> {
  const startMs = performance.now();
  const { roundings, weightsDir } = rounded;
  const scorer = await openScorer(folder, findMethod(method), {
    seed,
    ...(roundings.length > 0 && { roundings, weightsDir }),
  });
  const scored: (readonly number[])[] = [];
  try {
    const done = await scoreUntilStable(scorer, remember(text.calibration, scored), {
      seed,
      onProgress: (progress) => {
        const spentMs = performance.now() - startMs;
        onProgress(describeProgress(progress), spentMs / (spentMs + progress.remainingMs));
      },
      ...(signal === undefined ? {} : { signal }),
    });
    // A method that reads no text leaves none to compare the others on.
    const isUnread = compare && scored.length === 0;
    return {
      ...done,
      scored,
      compared: isUnread ? await take(text.calibration, COMPARED_SEQUENCES) : scored,
    };
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

function describeProgress({ sequences, relativeStandardError }: CalibrationProgress): string {
  const error = Number.isFinite(relativeStandardError)
    ? `${(100 * relativeStandardError).toFixed(1)} %`
    : '?';
  return `${sequences} sequences, standard error ${error}`;
}
