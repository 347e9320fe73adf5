import { setImmediate } from 'node:timers/promises';
import { buildEvaluationGraph, EVALUATION_GRAPH } from '../graph/evaluation.ts';
import type { ModelFolder } from '../hf/types.ts';
import { intTensor, openSession, type Session } from '../runtime/index.ts';
import { checkSequence, sequenceFeeds } from './sequence-feeds.ts';

/** What a model makes of some sequences. */
export interface Evaluation {
  /** Negative log likelihood in nats, summed over all predicted tokens of all sequences. */
  readonly nllSum: number;
  /** Predicted tokens: all but the first of each sequence. */
  readonly tokens: number;
  /** Per sequence the logits [V] at its last position. */
  readonly lastLogits: readonly Float32Array[];
  /** Per sequence of S tokens the most likely next token at every position, [S]. */
  readonly predictions: readonly BigInt64Array[];
  /** Share of all positions at which the most likely next token is the whole model's; 1 if nothing is dropped. */
  readonly agreement: number;
}

/** Options of {@linkcode evaluateSequences}. */
export interface EvaluateOptions {
  /** Names of units to leave out, e.g. `3.attn`; positions do not change. */
  readonly dropped?: readonly string[];
  readonly threads?: number;
  /** `share` of the work done, 0..1. */
  readonly onProgress?: (share: number) => void;
  /** Looked at between runs. */
  readonly signal?: AbortSignal;
}

/** Evaluates a model, or with `dropped` the pruned one, against the whole one. Blocks the thread during each run. */
export async function evaluateSequences(
  folder: ModelFolder,
  sequences: readonly (readonly number[])[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { dropped = [] } = options;
  for (const ids of sequences) checkSequence(ids, folder.config);
  if (dropped.length === 0) return summarize(await evaluateAll(folder, sequences, [], 0, 1, options));
  const target = await evaluateAll(folder, sequences, [], 0, 0.5, options);
  const pruned = await evaluateAll(folder, sequences, dropped, 0.5, 1, options);
  return summarize(pruned, target);
}

interface SequenceResult {
  readonly nll: number;
  readonly argmax: BigInt64Array;
  readonly logits: Float32Array;
}

/** One session after the other: two at once would hold the weights twice. */
async function evaluateAll(
  folder: ModelFolder,
  sequences: readonly (readonly number[])[],
  dropped: readonly string[],
  fromShare: number,
  toShare: number,
  { threads, onProgress, signal }: EvaluateOptions,
): Promise<SequenceResult[]> {
  const session = await openSession({
    graph: buildEvaluationGraph(folder, dropped),
    weightsDir: folder.dir,
    memoryPattern: false,
    ...(threads === undefined ? {} : { threads }),
  });
  try {
    const results: SequenceResult[] = [];
    for (const ids of sequences) {
      await setImmediate();
      signal?.throwIfAborted();
      results.push(runSequence(session, ids));
      onProgress?.(fromShare + ((toShare - fromShare) * results.length) / sequences.length);
    }
    return results;
  } finally {
    session.dispose();
  }
}

const outputs = [EVALUATION_GRAPH.nll, EVALUATION_GRAPH.argmax, EVALUATION_GRAPH.logits];

function runSequence(session: Session, ids: readonly number[]): SequenceResult {
  const logitsAt = intTensor(Int32Array.of(ids.length - 1), [1]);
  const results = session.run({ ...sequenceFeeds(ids), [EVALUATION_GRAPH.logitsAt]: logitsAt }, outputs);
  const [nll, argmax, logits] = outputs.map((name) => results[name]?.data);
  if (nll instanceof Float32Array && argmax instanceof BigInt64Array && logits instanceof Float32Array) {
    return { nll: nll[0]!, argmax, logits };
  }
  throw new TypeError('evaluating a sequence: the graph gave other types than it declares');
}

function summarize(
  results: readonly SequenceResult[],
  target: readonly SequenceResult[] = results,
): Evaluation {
  const predictions = results.map(({ argmax }) => argmax);
  return {
    nllSum: results.reduce((sum, { nll }) => sum + nll, 0),
    tokens: predictions.reduce((sum, { length }) => sum + length - 1, 0),
    lastLogits: results.map(({ logits }) => logits),
    predictions,
    agreement: agreementOf(
      predictions,
      target.map(({ argmax }) => argmax),
    ),
  };
}

/** Share of all positions at which two models predict the same token, from {@linkcode Evaluation.predictions} of both. */
export function agreementOf(a: readonly BigInt64Array[], b: readonly BigInt64Array[]): number {
  let [equal, positions] = [0, 0];
  for (const [s, tokens] of a.entries()) {
    positions += tokens.length;
    tokens.forEach((token, t) => {
      if (token === b[s]![t]) equal++;
    });
  }
  return equal / positions;
}
