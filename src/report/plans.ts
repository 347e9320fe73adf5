import { type Manifest, type ManifestDraft, type MeasuredCandidate, servedDraft } from '../artifact/index.ts';
import { bytes, percent, plural } from './format.ts';

/** What a draft does with a unit. `a8`: computes it with the weights of a target of int4, activations rounded to 8 bits. */
export type UnitState = 'kept' | 'int8' | 'int4' | 'a8' | 'dropped';

/** In the order of legends. */
export const UNIT_STATES: readonly UnitState[] = ['kept', 'int8', 'int4', 'a8', 'dropped'];

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
  /** The coarsest rounding that it uses; `kept`: none, it shares all weights with the target. */
  readonly precision: UnitState;
  readonly isServed: boolean;
}

/** Every unit in the order of the scores; all are kept where no draft is served. */
export function listUnitRows(manifest: Manifest): UnitRow[] {
  const draft = servedDraft(manifest);
  return manifest.scores.units.map(({ name, score }, index) => {
    const unit = { layer: Math.floor(index / 2), block: index % 2 === 0 ? 'attn' : 'mlp' } as const;
    return { name, score, ...unit, state: draft === undefined ? 'kept' : stateOf(manifest, draft, unit) };
  });
}

type Place = Pick<UnitRow, 'layer' | 'block'>;

function stateOf(
  { target }: Manifest,
  { dropped, int8 = [], int4 = [] }: ManifestDraft,
  unit: Place,
): UnitState {
  const has = (units: readonly Place[]) =>
    units.some(({ layer, block }) => layer === unit.layer && block === unit.block);
  if (has(dropped)) return 'dropped';
  if (has(int4)) return int4State(target);
  return has(int8) ? 'int8' : 'kept';
}

function int4State({ precision }: Manifest['target']): UnitState {
  return precision === 'int4' ? 'a8' : 'int4';
}

/** Drafts from the most to the least that they keep; of two alike, the one with the smaller memory first. */
export function listPlans(manifest: Manifest): PlanRow[] {
  const served = servedDraft(manifest);
  return manifest.drafts
    .map((draft) => ({
      draft,
      facts: manifest.measured?.candidates.find(({ name }) => name === draft.name),
      precision: precisionOf(manifest, draft),
      isServed: draft === served,
    }))
    .toSorted((a, b) => b.draft.keptShare - a.draft.keptShare || extraBytes(a.draft) - extraBytes(b.draft));
}

/** Weights that a draft loads beside the target's. */
export function extraBytes(draft: ManifestDraft): number {
  return draft.extraBytes ?? 0;
}

function precisionOf(
  { target }: Manifest,
  { int8 = [], int4 = [], head = 'shared' }: ManifestDraft,
): UnitState {
  if (int4.length > 0 || head === 'int4') return int4State(target);
  return int8.length > 0 || head === 'int8' ? 'int8' : 'kept';
}

/** `skips 12 of the 32 blocks, keeps 57% of the block weights, shares all its weights with the model` */
export function describeDraft(
  draft: ManifestDraft,
  numUnits: number,
  target: Manifest['target']['precision'] = 'stored',
): string {
  const { dropped, int8 = [], int4 = [], keptShare, head = 'shared', vocabulary } = draft;
  const words = { int8: '8-bit weights', int4: target === 'int4' ? '8-bit activations' : '4-bit weights' };
  const rounded = [
    ...(int8.length > 0 ? [`${plural(int8.length, 'block')} with ${words.int8}`] : []),
    ...(int4.length > 0 ? [`${plural(int4.length, 'block')} with ${words.int4}`] : []),
    ...(head === 'shared' ? [] : [`the output layer with ${words[head]}`]),
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
