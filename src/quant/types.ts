/** Precision of rounded weights: integers of 4 or 8 bits with a scale per block. */
export type Rounding = 'int4' | 'int8';
