/**
 * Upper tail of the chi-square distribution by Wilson and Hilferty's cube-root approximation, as a z-score. With fixed
 * seeds a test cannot flicker; a limit of 4.5 means that a right implementation fails for about 3 in a million seeds.
 */
export function chiSquareZ(observed: readonly number[], expected: readonly number[]): number {
  const cells = mergeSmall(observed, expected);
  const statistic = cells.reduce(
    (sum, cell) => sum + (cell.observed - cell.expected) ** 2 / cell.expected,
    0,
  );
  const freedom = cells.length - 1;
  const spread = 2 / (9 * freedom);
  return ((statistic / freedom) ** (1 / 3) - (1 - spread)) / Math.sqrt(spread);
}

/** Adds up cells that expect fewer than 8, for which the approximation does not hold. An impossible outcome stays visible. */
function mergeSmall(observed: readonly number[], expected: readonly number[]) {
  const cells: { observed: number; expected: number }[] = [];
  const rest = { observed: 0, expected: 0 };
  for (const [i, count] of expected.entries()) {
    if (count === 0 && observed[i]! > 0)
      throw new Error(`outcome ${i} has probability 0 but occurred ${observed[i]} times`);
    if (count >= 8) cells.push({ observed: observed[i]!, expected: count });
    else {
      rest.observed += observed[i]!;
      rest.expected += count;
    }
  }
  if (rest.expected >= 1) cells.push(rest);
  return cells;
}

/** Softmax of logits at a temperature, in double precision. */
export function softmax(logits: Iterable<number>, temperature = 1): number[] {
  const scaled = [...logits].map((logit) => logit / temperature);
  const highest = Math.max(...scaled);
  const weights = scaled.map((value) => Math.exp(value - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
