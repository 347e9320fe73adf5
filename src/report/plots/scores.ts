import * as Plot from '@observablehq/plot';
import { UNIT_STATES, type UnitRow } from '../plans.ts';
import { COLOR, drawPlot } from './draw.ts';
import { STATE_LOOK } from './symbols.ts';

const BLOCK_TITLES = { attn: 'Attention', mlp: 'MLP' } as const;

/** One mark per unit: its layer downwards, its score to the right, what the draft does with it as a shape. */
export function plotScores(rows: readonly UnitRow[], method: string): string {
  const numLayers = rows.length / 2;
  const scale = scaleOf(rows.map(({ score }) => score));
  const place = { y: 'layer', fx: (row: UnitRow) => BLOCK_TITLES[row.block] } as const;
  return drawPlot(`Score of every block by layer, method ${method}`, {
    height: 70 + numLayers * rowHeight(numLayers),
    marginLeft: 36,
    marginRight: 14,
    marginTop: 34,
    marginBottom: 40,
    fx: { label: null, domain: Object.values(BLOCK_TITLES), padding: 0.12 },
    x: {
      ...scale.options,
      label: `score (${method})${scale.isLog ? ', log scale' : ''} →`,
      labelAnchor: 'right',
      ticks: scale.ticks,
    },
    y: { type: 'point', label: 'layer', labelArrow: 'none', domain: countUp(numLayers), padding: 0.6 },
    marks: [
      Plot.gridX(scale.ticks, { stroke: COLOR.line, strokeOpacity: 1 }),
      Plot.ruleY(rows, { ...place, x1: scale.start, x2: 'score', stroke: COLOR.faint, strokeOpacity: 0.45 }),
      ...UNIT_STATES.map((state) =>
        Plot.dot(
          rows.filter((row) => row.state === state),
          {
            ...place,
            x: 'score',
            ...STATE_LOOK[state],
            r: 4,
            strokeWidth: 1.75,
            ariaDescription: `block ${state}`,
          },
        ),
      ),
    ],
  });
}

/** Pixels: a model of many layers still fits on a page. */
function rowHeight(numLayers: number): number {
  if (numLayers <= 20) return 20;
  return numLayers <= 40 ? 15 : 10;
}

function countUp(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

interface ScoreScale {
  readonly isLog: boolean;
  /** Where the lines of the marks begin. */
  readonly start: number;
  readonly ticks: number[];
  readonly options: Plot.ScaleOptions;
}

/** Scores of one model span orders of magnitude, so the scale is logarithmic where it can be. */
function scaleOf(scores: readonly number[]): ScoreScale {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  if (low <= 0 || high / low < 10) {
    const start = Math.min(0, low);
    const domain = [start, high > start ? high : start + 1];
    return { isLog: false, start, ticks: linearTicks(start, domain[1]!), options: { domain } };
  }
  // Some way in front of the lowest, so that its line can be seen.
  const start = low / 2;
  return {
    isLog: true,
    start,
    ticks: logTicks(start, high),
    options: { type: 'log', domain: [start, high * 1.15], tickFormat: shortNumber },
  };
}

/** Three or four round numbers. */
function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  return countUp(Math.floor(high / step) - Math.ceil(low / step) + 1).map(
    (i) => (Math.ceil(low / step) + i) * step,
  );
}

/** 1, 2, 5, 10, ... over up to two powers of ten, else whole powers, at most five of them. */
function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = countUp(last - first + 1).map((i) => 10 ** (first + i));
  const isShort = high / low <= 100;
  const ticks = isShort ? powers.flatMap((power) => [power, 2 * power, 5 * power]) : powers;
  const inside = ticks.filter((tick) => tick >= low && tick <= high * 1.15);
  const every = isShort ? 1 : Math.ceil(inside.length / 5);
  return inside.filter((_, i) => i % every === 0);
}

function shortNumber(value: number): string {
  return value >= 0.01 && value < 1e4 ? String(Number(value.toPrecision(3))) : value.toExponential(0);
}
