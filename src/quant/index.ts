export {
  blockBytes,
  headTensor,
  layoutReducedHead,
  layoutRoundedFile,
  layoutTargetFile,
  type RoundedFile,
  type RoundedMatrix,
} from './layout.ts';
export { BITS, BLOCK_COLUMNS } from './round.ts';
export { readRoundedFolder, roundedFolder } from './target.ts';
export type { Rounding } from './types.ts';
export { type WriteRoundedOptions, writeReducedHead, writeRoundedFile, writeTargetFile } from './write.ts';
