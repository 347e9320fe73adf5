import * as Plot from '@observablehq/plot';
import type { LengthSpeed } from '../types.ts';
import { COLOR, drawPlot } from './draw.ts';

/** Speed by draft length: the formula as a dashed line with hollow marks, the measurement as a full one. */
export function plotLengths(lengths: readonly LengthSpeed[]): string {
  const plain = lengths.find(({ draftLength }) => draftLength === 0);
  const predicted = { x: 'draftLength', y: 'predictedTokensPerSecond' } as const;
  const measured = { x: 'draftLength', y: 'measuredTokensPerSecond' } as const;
  return drawPlot('Tokens per second by draft length, predicted and measured', {
    height: 300,
    marginLeft: 46,
    marginBottom: 40,
    marginTop: 26,
    marginRight: 16,
    x: {
      label: 'tokens drafted per round →',
      ticks: lengths.map(({ draftLength }) => draftLength),
      tickFormat: 'd',
      inset: 10,
    },
    y: { label: '↑ tokens per second', zero: true, nice: true, ticks: 5 },
    marks: [
      Plot.gridY({ stroke: COLOR.line, strokeOpacity: 1, ticks: 5 }),
      ...(plain === undefined
        ? []
        : [
            Plot.ruleY([plain.measuredTokensPerSecond], {
              stroke: COLOR.ink,
              strokeDasharray: '1 3',
              strokeWidth: 1.25,
            }),
          ]),
      Plot.line(lengths, { ...predicted, stroke: COLOR.faint, strokeDasharray: '5 3' }),
      Plot.line(lengths, { ...measured, stroke: COLOR.draft, strokeWidth: 2.25 }),
      Plot.dot(lengths, {
        ...predicted,
        stroke: COLOR.faint,
        fill: COLOR.paper,
        r: 4,
        ariaDescription: 'predicted speed',
      }),
      Plot.dot(lengths, {
        ...measured,
        stroke: COLOR.draft,
        fill: COLOR.draft,
        r: 4.5,
        ariaDescription: 'measured speed',
      }),
    ],
  });
}
