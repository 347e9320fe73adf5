import type { LegendEntry } from './html.ts';
import { type PlanRow, UNIT_STATES, type UnitRow, type UnitState } from './plans.ts';
import { COLOR } from './plots/draw.ts';
import { lineSwatch, squareSwatch, symbolSwatch } from './plots/swatch.ts';
import { STATE_LOOK, STATE_TEXT } from './plots/symbols.ts';
import type { ExampleText } from './types.ts';

const RING = symbolSwatch({ symbol: 'circle', fill: 'none', stroke: COLOR.ink });
const PLAIN: LegendEntry = {
  swatch: lineSwatch({ stroke: COLOR.ink, strokeDasharray: '1 3' }),
  text: 'plain decoding',
};
const HOLLOW = symbolSwatch({ symbol: 'circle', fill: COLOR.paper, stroke: COLOR.faint });
const PLAN_TEXT: Readonly<Record<UnitState, string>> = {
  kept: 'the model’s own weights',
  int8: '8-bit weights',
  int4: '4-bit weights',
  a8: '8-bit activations',
  dropped: 'skips all',
};

/** States that occur. */
export function states(rows: readonly UnitRow[]): LegendEntry[] {
  return UNIT_STATES.filter((state) => rows.some((row) => row.state === state)).map((state) => ({
    swatch: symbolSwatch(STATE_LOOK[state]),
    text: STATE_TEXT[state],
  }));
}

export function interactions(): LegendEntry[] {
  return [
    { swatch: squareSwatch({ fill: COLOR.target }), text: 'full: skipping both costs more than each alone' },
    { swatch: squareSwatch({ fill: COLOR.paper, stroke: COLOR.draft }), text: 'hollow: it costs less' },
  ];
}

export function acceptance(): LegendEntry[] {
  return [
    {
      swatch: squareSwatch({ fill: COLOR.draft, fillOpacity: 0.28, stroke: COLOR.draft }),
      text: 'accepted here',
    },
    {
      swatch: symbolSwatch({ symbol: 'diamond', fill: COLOR.target, stroke: COLOR.target }),
      text: 'all up to here accepted',
    },
  ];
}

export function lengths(): LegendEntry[] {
  return [
    { swatch: symbolSwatch({ symbol: 'circle', fill: COLOR.draft, stroke: COLOR.draft }), text: 'measured' },
    { swatch: HOLLOW, text: 'predicted' },
    PLAIN,
  ];
}

export function candidates(plans: readonly PlanRow[]): LegendEntry[] {
  return [...precisions(plans), ...ring(plans)];
}

export function planSpeeds(plans: readonly PlanRow[]): LegendEntry[] {
  const entries = precisions(plans).map(({ swatch, text }) => ({ swatch, text: `measured, ${text}` }));
  return [...entries, { swatch: HOLLOW, text: 'predicted' }, PLAIN, ...ring(plans)];
}

function precisions(plans: readonly PlanRow[]): LegendEntry[] {
  return UNIT_STATES.filter((state) => plans.some(({ precision }) => precision === state)).map((state) => ({
    swatch: symbolSwatch(STATE_LOOK[state]),
    text: PLAN_TEXT[state],
  }));
}

function ring(plans: readonly PlanRow[]): LegendEntry[] {
  return plans.some(({ isServed }) => isServed) ? [{ swatch: RING, text: 'served' }] : [];
}

const ORIGIN_TEXT: Readonly<Record<string, string>> = {
  draft: 'guessed by the draft, accepted',
  lookup: 'found earlier in the text, accepted',
  target: 'the model’s own',
};

/** Origins that occur, by the class that marks them. */
export function origins({ pieces }: ExampleText): { readonly name: string; readonly text: string }[] {
  return [...new Set(pieces.map(({ origin }) => origin))]
    .sort()
    .map((name) => ({ name, text: ORIGIN_TEXT[name] ?? name }));
}
