import * as Plot from '@observablehq/plot';
import { percent } from '../format.ts';
import { COLOR, drawPlot } from './draw.ts';

interface Position {
  /** From 1. */
  readonly position: number;
  /** Accepted where all before it were. */
  readonly accepted: number;
  /** Accepted together with all before it. */
  readonly survived: number;
}

/** A column per place in the draft; the line says how many drafts come so far. */
export function plotAcceptance(byPosition: readonly number[]): string {
  let survived = 1;
  const rows = byPosition.map((accepted, i): Position => {
    survived *= accepted;
    return { position: i + 1, accepted, survived };
  });
  return drawPlot('Acceptance by position in the draft', {
    height: 300,
    marginLeft: 40,
    marginBottom: 40,
    marginTop: 26,
    x: { type: 'band', label: 'position in the draft →', tickSize: 0, padding: 0.35 },
    y: { label: '↑ accepted', domain: [0, 1], tickFormat: '.0%', ticks: 5 },
    marks: [
      Plot.gridY({ stroke: COLOR.line, strokeOpacity: 1, ticks: 5 }),
      Plot.barY(rows, {
        x: 'position',
        y: 'accepted',
        fill: COLOR.draft,
        fillOpacity: 0.28,
        stroke: COLOR.draft,
        ariaDescription: 'acceptance',
      }),
      Plot.ruleY([0], { stroke: COLOR.faint }),
      Plot.lineY(rows, {
        x: 'position',
        y: 'survived',
        stroke: COLOR.target,
        strokeDasharray: '4 3',
        strokeWidth: 1.5,
      }),
      Plot.dot(rows, {
        x: 'position',
        y: 'survived',
        symbol: 'diamond',
        fill: COLOR.target,
        stroke: COLOR.paper,
        r: 5,
        ariaDescription: 'survival',
      }),
      Plot.text(rows, {
        x: 'position',
        y: 'accepted',
        text: ({ accepted }: Position) => percent(accepted),
        dy: -13,
        fontWeight: 600,
      }),
    ],
  });
}
