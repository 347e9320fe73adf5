import type { Rounding } from '../quant/types.ts';

/** A draft to propose: the number of units to drop, and the rounding of the rest; undefined: shared with the target. */
export interface CandidateForm {
  readonly count: number;
  readonly rounding: Rounding | undefined;
}

/**
 * Drafts worth measuring, by eighths of the units dropped: up to 7 with shared weights, up to `roundedEighths` with rounded
 * ones, which lose more by each further drop than the time it saves. The grid is fixed, so the same scores give the same
 * candidates on every machine; which of them is served is a matter of measured speed. Of a target that is rounded itself all
 * drafts have its rounding: one that shares its products as they are costs more, one of 8 bits is nearer to another model.
 */
export function candidateForms(
  numUnits: number,
  roundedEighths: number,
  ofTarget?: Rounding,
): CandidateForm[] {
  const dropEighths = (from: number, to: number, rounding: Rounding | undefined): CandidateForm[] => {
    const counts = Array.from({ length: to - from + 1 }, (_, i) => Math.round(((from + i) * numUnits) / 8));
    return [...new Set(counts)].filter((count) => count < numUnits).map((count) => ({ count, rounding }));
  };
  if (ofTarget !== undefined) return dropEighths(0, 7, ofTarget);
  const shared = dropEighths(1, 7, undefined).filter(({ count }) => count > 0);
  return [...dropEighths(0, roundedEighths, 'int8'), ...dropEighths(0, roundedEighths, 'int4'), ...shared];
}

/**
 * Sizes of mixed drafts to propose, by what a step reads of the weights rounded to 8 bits: all at 4 bits are about .6.
 * Fixed for the same reason.
 */
export const MIXED_SHARES: readonly number[] = [0.8, 0.65, 0.5, 0.4, 0.3];

/** The drafts that drop exactly `count` units. */
export function formsWithCount(count: number, ofTarget?: Rounding): CandidateForm[] {
  if (ofTarget !== undefined) return [{ count, rounding: ofTarget }];
  const rounded: CandidateForm[] = [
    { count, rounding: 'int8' },
    { count, rounding: 'int4' },
  ];
  return count === 0 ? rounded : [{ count, rounding: undefined }, ...rounded];
}

/** Number of units to drop so that `keep` (a share, 0..1) of them stay; one stays always. */
export function countForKeep(keep: number, numUnits: number): number {
  if (!(keep >= 0 && keep <= 1)) throw new RangeError(`keep ${keep}: needs a share from 0 to 1`);
  return numUnits - Math.max(1, Math.round(keep * numUnits));
}
