import * as Plot from '@observablehq/plot';
import type { MethodStudy } from '../types.ts';
import { COLOR, drawPlot, spreadApart } from './draw.ts';

/** One shape per method, in the order of the study. */
const SYMBOLS: readonly Plot.SymbolType[] = [
  'circle',
  'diamond',
  'square',
  'triangle',
  'cross',
  'star',
  'times',
  'wye',
];
/** Between labels, in units of agreement. */
const LABEL_GAP = 0.045;

interface Point {
  readonly method: string;
  readonly keptShare: number;
  readonly agreement: number;
}

/** A line per method from few to many kept weights; that of the artifact's own method is the thick one. */
export function plotMethods({ methods }: MethodStudy, used: string): string {
  const points = methods.flatMap(({ method, points }): Point[] =>
    points.map((point) => ({ method, ...point })),
  );
  const place = { x: 'keptShare', y: 'agreement' } as const;
  const others = points.filter(({ method }) => method !== used);
  const own = points.filter(({ method }) => method === used);
  return drawPlot('Agreement with the target by kept share of the block weights, for every scoring method', {
    height: 360,
    marginLeft: 40,
    marginRight: 76,
    marginBottom: 40,
    marginTop: 26,
    x: { label: 'block weights kept →', tickFormat: '.0%', nice: true, ticks: 5 },
    y: {
      label: '↑ agreement with the target',
      tickFormat: '.0%',
      domain: yDomain(points),
      nice: true,
      ticks: 6,
    },
    symbol: { domain: methods.map(({ method }) => method), range: [...SYMBOLS] },
    marks: [
      Plot.gridY({ stroke: COLOR.line, strokeOpacity: 1, ticks: 6 }),
      Plot.line(others, { ...place, z: 'method', stroke: COLOR.faint, strokeWidth: 1, strokeOpacity: 0.8 }),
      Plot.line(own, { ...place, z: 'method', stroke: COLOR.draft, strokeWidth: 2.5 }),
      Plot.dot(others, {
        ...place,
        symbol: 'method',
        stroke: COLOR.faint,
        fill: COLOR.paper,
        r: 4,
        ariaDescription: 'method points',
      }),
      Plot.dot(own, {
        ...place,
        symbol: 'method',
        fill: COLOR.draft,
        stroke: COLOR.draft,
        r: 4.5,
        ariaDescription: 'method points',
      }),
      ...labels(methods, used),
    ],
  });
}

function yDomain(points: readonly Point[]): [number, number] {
  const values = points.map(({ agreement }) => agreement);
  return [Math.max(0, Math.min(...values) - 0.05), Math.min(1, Math.max(...values) + 0.03)];
}

/** Names at the right ends, moved apart, each with a line to its own. */
function labels(methods: MethodStudy['methods'], used: string): Plot.Markish[] {
  const ends = methods.flatMap(({ method, points }) => {
    const last = points.toSorted((a, b) => a.keptShare - b.keptShare).at(-1);
    return last === undefined ? [] : [{ method, ...last }];
  });
  const ys = spreadApart(
    ends.map(({ agreement }) => agreement),
    LABEL_GAP,
  );
  const right = Math.max(...ends.map(({ keptShare }) => keptShare));
  const placed = ends.map((end, i) => ({ ...end, labelY: ys[i]!, right }));
  return [true, false].flatMap((isOwn) => {
    const group = placed.filter(({ method }) => (method === used) === isOwn);
    const color = isOwn ? COLOR.draft : COLOR.faint;
    return [
      Plot.link(group, {
        x1: 'keptShare',
        y1: 'agreement',
        x2: 'right',
        y2: 'labelY',
        stroke: COLOR.faint,
        strokeOpacity: 0.5,
      }),
      Plot.text(group, {
        x: 'right',
        y: 'labelY',
        text: 'method',
        textAnchor: 'start',
        dx: 10,
        fill: isOwn ? color : COLOR.ink,
        fontWeight: isOwn ? 700 : 400,
      }),
    ];
  });
}
