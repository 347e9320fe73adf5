/**
 * Drafts worth measuring: one per eighth of the units dropped. The grid is fixed, so the same scores give the same
 * candidates on every machine; which of them is served is a matter of measured speed.
 */
export function candidateCounts(numUnits: number): number[] {
  const counts = Array.from({ length: 7 }, (_, eighth) => Math.round(((eighth + 1) * numUnits) / 8));
  return [...new Set(counts)].filter((count) => count > 0 && count < numUnits);
}

/** Number of units to drop so that `keep` (a share, 0..1) of them stay. */
export function countForKeep(keep: number, numUnits: number): number {
  if (!(keep >= 0 && keep <= 1)) throw new RangeError(`keep ${keep}: needs a share from 0 to 1`);
  return numUnits - Math.round(keep * numUnits);
}
