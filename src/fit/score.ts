import { setImmediate } from 'node:timers/promises';
import type { ModelFolder } from '../hf/types.ts';
import { SdfpError } from '../lib/errors.ts';
import { createAccumulator } from './accumulator.ts';
import { findMethod } from './methods/index.ts';
import { openScorer, type ScorerOptions } from './scorer.ts';
import type { ScoreResult } from './types.ts';

/** Options of {@linkcode scoreSequences}. */
export interface ScoreOptions extends ScorerOptions {
  readonly onProgress?: (sequencesDone: number) => void;
  /** Looked at between runs. */
  readonly signal?: AbortSignal;
}

/**
 * Scores every unit of a model by the method called `methodName` on `sequences`, each used as given.
 * Throws SdfpError `invalid_request` for an unknown method, no sequence, or ids that the model cannot read.
 */
export async function scoreSequences(
  folder: ModelFolder,
  methodName: string,
  sequences: readonly (readonly number[])[],
  options: ScoreOptions = {},
): Promise<ScoreResult> {
  const method = findMethod(methodName);
  if (sequences.length === 0 && method.probe !== null) {
    throw new SdfpError(
      'invalid_request',
      `scoring by ${method.name}: found no sequence, needs one or more`,
      {
        param: 'ids',
      },
    );
  }
  const scorer = await openScorer(folder, method, options);
  try {
    const accumulator = createAccumulator(method, scorer.facts);
    for (const ids of method.probe === null ? [] : sequences) {
      await setImmediate();
      options.signal?.throwIfAborted();
      accumulator.add(scorer.measure(ids));
      options.onProgress?.(accumulator.sequences);
    }
    return accumulator.result();
  } finally {
    scorer.dispose();
  }
}
