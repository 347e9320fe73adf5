import { sequenceFeeds } from '../../src/fit/sequence-feeds.ts';
import { buildEvaluationGraph, EVALUATION_GRAPH } from '../../src/graph/evaluation.ts';
import type { ModelFolder } from '../../src/hf/types.ts';
import { unitName } from '../../src/lib/units.ts';
import type { Unit } from '../../src/plan/types.ts';
import { intTensor, openSession, type Session } from '../../src/runtime/index.ts';

/** Large enough to vanish in a softmax, small enough to stay finite in sums. */
export const MASKED = -1e9;

/** Causal mask [S, P+S] in which the last `padding` rows of the past are unused. */
export function causalBias(rows: number, past = 0, padding = 0): Float32Array {
  const width = past + rows;
  return Float32Array.from({ length: rows * width }, (_, i) => {
    const [query, key] = [Math.floor(i / width), i % width];
    const visible = key < past ? key < past - padding : key - past <= query;
    return visible ? 0 : MASKED;
  });
}

export function openEval(folder: ModelFolder, dropped: readonly Unit[] = []): Promise<Session> {
  const graph = buildEvaluationGraph(folder, dropped.map(unitName));
  return openSession({ graph, weightsDir: folder.dir, threads: 1 });
}

/** Logits of the positions `rows` of one sequence, one array each. */
export function evalLogits(
  session: Session,
  ids: readonly number[],
  rows: readonly number[],
): Float32Array[] {
  const feeds = {
    ...sequenceFeeds(ids),
    [EVALUATION_GRAPH.logitsAt]: intTensor(Int32Array.from(rows), [rows.length]),
  };
  const { data } = session.run(feeds, [EVALUATION_GRAPH.logits])[EVALUATION_GRAPH.logits]!;
  return splitRows(data as Float32Array, rows.length);
}

export function splitRows(data: Float32Array, count: number): Float32Array[] {
  const width = data.length / count;
  return Array.from({ length: count }, (_, row) => data.subarray(row * width, (row + 1) * width));
}

export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Largest absolute difference over the largest absolute golden value. */
export function relativeError(actual: ArrayLike<number>, golden: readonly number[]): number {
  const scale = Math.max(...golden.map(Math.abs));
  return Math.max(...golden.map((value, i) => Math.abs(value - actual[i]!))) / scale;
}
