export {
  type CalibrationFacts,
  type CalibrationOptions,
  type CalibrationProgress,
  defaultTolerance,
  scoreUntilStable,
} from './calibration.ts';
export { agreementOf, type EvaluateOptions, type Evaluation, evaluateSequences } from './evaluate.ts';
export {
  type CalibrationEncoder,
  type CalibrationMessage,
  type FileSequences,
  type FileSequencesOptions,
  readFileSequences,
} from './file-sequences.ts';
export { findMethod, isMethodName, methodNames } from './methods/index.ts';
export {
  type SampledSequencesOptions,
  type SampleTokens,
  sampleSequences,
  startOfText,
} from './sampled-sequences.ts';
export { type ScoreOptions, scoreSequences } from './score.ts';
export { openScorer, type Scorer, type ScorerOptions } from './scorer.ts';
export type * from './types.ts';
