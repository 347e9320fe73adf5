import type { Value } from '../onnx/index.ts';
import type { DraftPlan, Unit } from '../plan/types.ts';
import type { HeadGate } from './head.ts';
import type { UnitMode } from './unit.ts';

/** What the draft `plan` does with a unit in the runs where `skipWhen`, a bool [1], is true. */
export function draftMode(plan: DraftPlan, unit: Unit, skipWhen: Value): UnitMode {
  if (includes(plan.dropped, unit)) return { skipWhen };
  if (includes(plan.int4, unit)) return { skipWhen, instead: 'int4' };
  if (includes(plan.int8, unit)) return { skipWhen, instead: 'int8' };
  return 'on';
}

/** The same with the LM head; undefined: nothing. Throws TypeError for a reduced vocabulary without a head of its own. */
export function draftHead({ head = 'shared', vocabulary }: DraftPlan, skipWhen: Value): HeadGate | undefined {
  if (head !== 'shared') return { skipWhen, instead: head, numTokens: vocabulary?.length };
  if (vocabulary === undefined) return undefined;
  throw new TypeError('Building the draft: its vocabulary is reduced, which needs a rounded head.');
}

export function includes(units: readonly Unit[] = [], { layer, block }: Unit): boolean {
  return units.some((unit) => unit.layer === layer && unit.block === block);
}
