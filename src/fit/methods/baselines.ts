import { RandomStream } from '../../lib/random.ts';
import type { MethodName, ScoreResult, ScoringMethod } from '../types.ts';
import { nameUnits } from './result.ts';

/** The last layers go first, and a layer's MLP before its attention. */
export const last: ScoringMethod = unmeasured('last', (numLayers) => ({
  units: Array.from({ length: 2 * numLayers }, (_, unit) => 2 * numLayers - unit),
  layers: Array.from({ length: numLayers }, (_, layer) => numLayers - layer),
}));

/** Uniform scores from a seed: what a method has to beat. */
export const random: ScoringMethod = unmeasured('random', (numLayers, seed) => {
  const stream = new RandomStream(seed);
  const draw = (length: number) => Array.from({ length }, () => stream.next());
  return { units: draw(2 * numLayers), layers: draw(numLayers) };
});

function unmeasured(
  method: MethodName,
  score: (numLayers: number, seed: number) => { readonly units: number[]; readonly layers: number[] },
): ScoringMethod {
  return {
    name: method,
    probe: null,
    summarize: () => new Float64Array(0),
    weigh: () => 1,
    scores: (_mean, { numLayers, seed }): ScoreResult => {
      const { units, layers } = score(numLayers, seed);
      return { method, units: nameUnits(units), layers };
    },
  };
}
