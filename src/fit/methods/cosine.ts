import type { Measurement, ScoringMethod } from '../types.ts';
import { nameUnits } from './result.ts';

/**
 * Block influence: 1 - mean over positions of cos(stream before, stream after). Needs no gradients. Golden: `bi`.
 * The mean runs over all positions of all sequences, so a long sequence counts more.
 */
export const cosine: ScoringMethod = {
  name: 'cosine',
  probe: 'stream',
  summarize: meanOfRows,
  weigh: ({ length }) => length,
  scores: (mean, { numLayers }) => {
    const influence = Array.from(mean, (cos) => 1 - cos);
    return {
      method: 'cosine',
      units: nameUnits(influence.slice(0, 2 * numLayers)),
      layers: influence.slice(2 * numLayers),
    };
  },
};

function meanOfRows({ values, length }: Measurement): Float64Array {
  const means = new Float64Array(values.length / length);
  for (let i = 0; i < values.length; i++) means[Math.floor(i / length)]! += values[i]! / length;
  return means;
}
