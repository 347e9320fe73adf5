import { type Manifest, type ManifestDraft, type MeasuredCandidate, servedDraft } from '../artifact/index.ts';
import { bytes, percent, plural } from './format.ts';

/** What a draft does with a unit. */
export type UnitState = 'kept' | 'int8' | 'int4' | 'dropped';

/** In the order of legends. */
export const UNIT_STATES: readonly UnitState[] = ['kept', 'int8', 'int4', 'dropped'];

/** A unit of the model with its score and its place in the served draft. */
export interface UnitRow {
  readonly name: string;
  readonly layer: number;
  readonly block: 'attn' | 'mlp';
  readonly score: number;
  readonly state: UnitState;
}

/** A proposed draft and what was measured of it. */
export interface PlanRow {
  readonly draft: ManifestDraft;
  readonly facts: MeasuredCandidate | undefined;
  readonly isServed: boolean;
}

/** Every unit in the order of the scores; all are kept where no draft is served. */
export function listUnitRows(manifest: Manifest): UnitRow[] {
  const draft = servedDraft(manifest);
  return manifest.scores.units.map(({ name, score }, index) => {
    const unit = { layer: Math.floor(index / 2), block: index % 2 === 0 ? 'attn' : 'mlp' } as const;
    return { name, score, ...unit, state: draft === undefined ? 'kept' : stateOf(draft, unit) };
  });
}

type Place = Pick<UnitRow, 'layer' | 'block'>;

function stateOf({ dropped, int8 = [], int4 = [] }: ManifestDraft, unit: Place): UnitState {
  const has = (units: readonly Place[]) =>
    units.some(({ layer, block }) => layer === unit.layer && block === unit.block);
  if (has(dropped)) return 'dropped';
  if (has(int4)) return 'int4';
  return has(int8) ? 'int8' : 'kept';
}

/** Drafts from the most to the least that they keep; of two alike, the one with the smaller memory first. */
export function listPlans(manifest: Manifest): PlanRow[] {
  const served = servedDraft(manifest);
  return manifest.drafts
    .map((draft) => ({
      draft,
      facts: manifest.measured?.candidates.find(({ name }) => name === draft.name),
      isServed: draft === served,
    }))
    .toSorted((a, b) => b.draft.keptShare - a.draft.keptShare || extraBytes(a.draft) - extraBytes(b.draft));
}

/** Weights that a draft loads beside the target's. */
export function extraBytes(draft: ManifestDraft): number {
  return draft.extraBytes ?? 0;
}

/** The coarsest rounding that a draft uses; `kept`: none, it shares all weights with the target. */
export function precisionOf({ int8 = [], int4 = [], head = 'shared' }: ManifestDraft): UnitState {
  if (int4.length > 0 || head === 'int4') return 'int4';
  return int8.length > 0 || head === 'int8' ? 'int8' : 'kept';
}

/** `skips 12 of the 32 blocks, keeps 57% of the block weights, shares all its weights with the model` */
export function describeDraft(draft: ManifestDraft, numUnits: number): string {
  const { dropped, int8 = [], int4 = [], keptShare, head = 'shared', vocabulary } = draft;
  const rounded = [
    ...(int8.length > 0 ? [`${plural(int8.length, 'block')} with 8-bit weights`] : []),
    ...(int4.length > 0 ? [`${plural(int4.length, 'block')} with 4-bit weights`] : []),
    ...(head === 'shared' ? [] : [`the output layer with ${head === 'int4' ? 4 : 8}-bit weights`]),
  ];
  const parts = [
    ...(dropped.length > 0 ? [`skips ${dropped.length} of the ${numUnits} blocks`] : []),
    ...(rounded.length > 0 ? [`computes ${listOf(rounded)}`] : []),
    ...(vocabulary === undefined ? [] : [`proposes the ${vocabulary.length} most frequent tokens only`]),
    `keeps ${percent(keptShare)} of the block weights`,
  ];
  const memory = extraBytes(draft);
  return `${parts.join(', ')} and ${memory === 0 ? 'needs no weights of its own' : `loads ${bytes(memory)} of weights beside the model’s`}`;
}

/** `a`, `a and b`, `a, b and c` */
function listOf(items: readonly string[]): string {
  return items.length < 2 ? items.join() : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
