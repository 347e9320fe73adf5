import type { SymbolType } from '@observablehq/plot';
import type { UnitState } from '../plans.ts';
import { COLOR } from './draw.ts';

/** How a state looks: the shape alone tells it. */
export interface SymbolLook {
  readonly symbol: SymbolType;
  readonly fill: string;
  readonly stroke: string;
}

export const STATE_LOOK: Readonly<Record<UnitState, SymbolLook>> = {
  kept: { symbol: 'circle', fill: COLOR.draft, stroke: COLOR.draft },
  int8: { symbol: 'square', fill: COLOR.draft, stroke: COLOR.draft },
  int4: { symbol: 'triangle', fill: 'none', stroke: COLOR.draft },
  a8: { symbol: 'diamond', fill: 'none', stroke: COLOR.draft },
  dropped: { symbol: 'times', fill: 'none', stroke: COLOR.target },
};

export const STATE_TEXT: Readonly<Record<UnitState, string>> = {
  kept: 'kept as in the model',
  int8: '8-bit weights',
  int4: '4-bit weights',
  a8: '8-bit activations',
  dropped: 'skipped by the draft',
};
