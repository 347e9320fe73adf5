/**
 * Which units to drop for a draft that drops `count` of them. Three forms: by a quadratic form (interactions between
 * units, the default method), by sorting units, or by sorting whole layers (the paper's words and its rivals).
 */
import type { ScoreResult } from '../fit/types.ts';
import { listUnits } from '../lib/units.ts';
import type { Unit } from './types.ts';

/**
 * The `count` units that the scores of a method say to drop. Methods that score whole layers drop `count / 2` layers,
 * rounded, so their units may be one more or less; the last layer that is left stays.
 */
export function selectUnits(scores: ScoreResult, count: number): Unit[] {
  const units = listUnits(scores.layers.length);
  return selectIndices(scores, count).map((index) => units[index]!);
}

function selectIndices({ method, matrix, units, layers }: ScoreResult, count: number): number[] {
  if (matrix !== undefined) return selectByInteractions(matrix, count);
  const unitScores = units.map(({ score }) => score);
  return method === 'fit-gate'
    ? selectByScore(unitScores, count)
    : selectLayers(layers, Math.min(Math.round(count / 2), layers.length - 1));
}

/**
 * A removal counts as at least this share of what it costs alone. Far from the whole model the form promises that large
 * removals cancel: without a floor the story model's first MLP is dropped "for free" after its first attention block.
 */
const SMALLEST_SHARE = 0.1;

/**
 * `count` units whose joint removal costs little by `1/2 * sum_{u,v in S} F_uv`, the KL divergence that the Fisher
 * matrix of the gates predicts, added greedily.
 *
 * @param matrix F, symmetric, `[U][U]`.
 * @returns indices into the matrix, ascending.
 */
export function selectByInteractions(matrix: readonly (readonly number[])[], count: number): number[] {
  checkCount(count, matrix.length);
  const chosen = new Set<number>();
  // pull[u] = sum of F_uv over the chosen v: u would add 1/2 F_uu + pull[u].
  const pull = new Float64Array(matrix.length);
  while (chosen.size < count) {
    const added = cheapestAddition(matrix, pull, chosen);
    chosen.add(added);
    for (let u = 0; u < matrix.length; u++) pull[u]! += matrix[added]![u]!;
  }
  return [...chosen].sort((a, b) => a - b);
}

/** Unit indices of the `count` whole layers with the lowest scores (ties: the earlier layer), ascending. */
export function selectLayers(layerScores: readonly number[], count: number): number[] {
  checkCount(count, layerScores.length);
  return layerScores
    .map((score, layer) => ({ score, layer }))
    .sort((a, b) => a.score - b.score || a.layer - b.layer)
    .slice(0, count)
    .flatMap(({ layer }) => [2 * layer, 2 * layer + 1])
    .sort((a, b) => a - b);
}

/** Indices of the `count` units with the lowest scores, interactions ignored (ties: the earlier unit), ascending. */
export function selectByScore(unitScores: readonly number[], count: number): number[] {
  checkCount(count, unitScores.length);
  return unitScores
    .map((score, unit) => ({ score, unit }))
    .sort((a, b) => a.score - b.score || a.unit - b.unit)
    .slice(0, count)
    .map(({ unit }) => unit)
    .sort((a, b) => a - b);
}

function cheapestAddition(
  matrix: readonly (readonly number[])[],
  pull: Float64Array,
  chosen: ReadonlySet<number>,
): number {
  let best = -1;
  let bestCost = Number.POSITIVE_INFINITY;
  for (let u = 0; u < matrix.length; u++) {
    if (chosen.has(u)) continue;
    const alone = matrix[u]![u]! / 2;
    const cost = Math.max(alone + pull[u]!, SMALLEST_SHARE * alone);
    if (cost < bestCost) {
      best = u;
      bestCost = cost;
    }
  }
  return best;
}

function checkCount(count: number, total: number): void {
  if (!Number.isInteger(count) || count < 0 || count > total) {
    throw new RangeError(`cannot choose ${count} of ${total}: needs an integer from 0 to ${total}`);
  }
}
