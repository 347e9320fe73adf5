import * as Plot from '@observablehq/plot';
import { COLOR, drawPlot, WIDTH } from './draw.ts';

/** A pair of units; `strength`: F_uv over the geometric mean of F_uu and F_vv, -1..1. */
export interface Interaction {
  readonly row: number;
  readonly column: number;
  readonly strength: number;
}

/** Every pair once, the later unit first. */
export function listInteractions(matrix: readonly (readonly number[])[]): Interaction[] {
  return matrix.flatMap((values, row) =>
    values.slice(0, row).map((value, column) => {
      const scale = Math.sqrt(values[row]! * matrix[column]![column]!);
      return { row, column, strength: scale > 0 ? Math.max(-1, Math.min(1, value / scale)) : 0 };
    }),
  );
}

/** Side of the smallest square, in cells: a pair without interaction is a point. */
const SMALLEST = 0.1;
/** Pixels of a cell: models of many layers get a larger figure. */
const SMALLEST_CELL = 5;

/** The lower triangle of the matrix; the area of a square is the strength, full or hollow its sign. */
export function plotInteractions(matrix: readonly (readonly number[])[]): string {
  const pairs = listInteractions(matrix);
  const size = matrix.length;
  const width = Math.max(WIDTH, 60 + size * SMALLEST_CELL);
  const axis = { domain: [0, size], label: 'layer', labelArrow: 'none' as const, ...layerTicks(size) };
  return drawPlot('Interaction of every pair of units', {
    width,
    height: width,
    marginLeft: 36,
    marginBottom: 36,
    marginTop: 10,
    marginRight: 10,
    x: { ...axis, labelAnchor: 'center' },
    y: { ...axis, reverse: true, labelAnchor: 'center' },
    marks: [
      Plot.ruleX(boundaries(size), {
        x: (at: number) => at,
        y1: (at: number) => at,
        y2: size,
        stroke: COLOR.line,
      }),
      Plot.ruleY(boundaries(size), {
        y: (at: number) => at,
        x1: 0,
        x2: (at: number) => at,
        stroke: COLOR.line,
      }),
      Plot.rect(
        pairs.filter(({ strength }) => strength >= 0),
        {
          ...squareOf,
          fill: COLOR.target,
          ariaDescription: 'compounding pairs',
        },
      ),
      Plot.rect(
        pairs.filter(({ strength }) => strength < 0),
        {
          ...squareOf,
          fill: COLOR.paper,
          stroke: COLOR.draft,
          strokeWidth: 1.25,
          inset: 0.6,
          ariaDescription: 'compensating pairs',
        },
      ),
    ],
  });
}

function halfSide({ strength }: Interaction): number {
  return Math.max(SMALLEST, Math.sqrt(Math.abs(strength))) / 2;
}

const squareOf = {
  x1: (pair: Interaction) => pair.column + 0.5 - halfSide(pair),
  x2: (pair: Interaction) => pair.column + 0.5 + halfSide(pair),
  y1: (pair: Interaction) => pair.row + 0.5 - halfSide(pair),
  y2: (pair: Interaction) => pair.row + 0.5 + halfSide(pair),
};

/** Lines between layers. */
function boundaries(size: number): number[] {
  return Array.from({ length: size / 2 + 1 }, (_, layer) => 2 * layer);
}

/** A layer is two cells wide: its number stands in the middle. */
function layerTicks(size: number): {
  readonly ticks: number[];
  readonly tickFormat: (at: number) => string;
  readonly tickSize: number;
} {
  const every = Math.ceil(size / 2 / 20);
  const ticks = Array.from({ length: Math.ceil(size / 2 / every) }, (_, i) => 2 * i * every + 1);
  return { ticks, tickFormat: (at) => String((at - 1) / 2), tickSize: 0 };
}
