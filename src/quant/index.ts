export {
  blockBytes,
  headTensor,
  layoutReducedHead,
  layoutRoundedFile,
  type RoundedFile,
  type RoundedMatrix,
} from './layout.ts';
export { BITS, BLOCK_COLUMNS } from './round.ts';
export type { Rounding } from './types.ts';
export { type WriteRoundedOptions, writeReducedHead, writeRoundedFile } from './write.ts';
