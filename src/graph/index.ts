export { buildForward, type ForwardOptions, type ForwardResult } from './forward.ts';
export { buildServingGraph, type ServingGraph, servingGraph } from './serving.ts';
export type { UnitMode, UnitTrace } from './unit.ts';
