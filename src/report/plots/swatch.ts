import * as Plot from '@observablehq/plot';
import { drawPlot } from './draw.ts';
import type { SymbolLook } from './symbols.ts';

const SIZE = 18;

/** A mark of a plot, alone, for a legend: drawn by the same library, so that it looks the same. */
export function symbolSwatch(look: Partial<SymbolLook>): string {
  return swatch(Plot.dot([0], { frameAnchor: 'middle', r: 4.5, strokeWidth: 1.5, ...look }));
}

/** A piece of a line. */
export function lineSwatch(look: {
  readonly stroke: string;
  readonly strokeDasharray?: string;
  readonly strokeWidth?: number;
}): string {
  return swatch(Plot.ruleY([0], look));
}

/** A filled or hollow square. */
export function squareSwatch(look: {
  readonly fill: string;
  readonly stroke?: string;
  readonly fillOpacity?: number;
}): string {
  return swatch(Plot.frame({ inset: 4, strokeWidth: 1.25, stroke: 'none', ...look }));
}

function swatch(mark: Plot.Markish): string {
  const box = {
    width: SIZE,
    height: SIZE,
    margin: 0,
    axis: null,
    x: { domain: [0, 1] },
    y: { domain: [-1, 1] },
  };
  return drawPlot('', { ...box, marks: [mark] });
}
