export type { DraftPrecision, ShapeDraft } from './drafts.ts';
export { WIDTHS } from './measure-plan.ts';
export {
  ACCEPTANCES,
  type Prediction,
  runShapeBenchmark,
  type ShapeBenchmark,
  type ShapeBenchmarkOptions,
  type ShapeRow,
} from './run.ts';
export { SHAPES } from './shapes.ts';
