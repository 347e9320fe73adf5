import type { PlanFacts } from '../api/index.ts';
import { unitName } from '../lib/units.ts';

/** What the page reads of `/plan`. */
export interface Plan {
  readonly has_chat_template?: boolean;
  readonly inspect?: PlanFacts | null;
}

/** What a draft does with a unit. `a8`: computes it with the weights of a model of 4 bits and activations of 8 bits. */
export type UnitState = 'kept' | 'int8' | 'int4' | 'a8' | 'skipped';

export interface PlanCell {
  readonly score: number;
  readonly state: UnitState;
  /** 0 to 1. */
  readonly barLength: number;
}

/** One row per layer. */
export interface PlanRow {
  readonly layer: number;
  readonly attn: PlanCell;
  readonly mlp: PlanCell;
}

/** Rows of the picture, from the first layer to the last. */
export function planRows(facts: PlanFacts): PlanRow[] {
  const scores = new Map(facts.units.map(({ name, score }) => [name, score]));
  const toLength = scaleOf([...scores.values()]);
  const cell = (layer: number, block: 'attn' | 'mlp'): PlanCell => {
    const name = unitName({ layer, block });
    const score = scores.get(name) ?? 0;
    return { score, state: stateOf(facts, name), barLength: toLength(score) };
  };
  return Array.from({ length: Math.ceil(facts.units.length / 2) }, (_, layer) => ({
    layer,
    attn: cell(layer, 'attn'),
    mlp: cell(layer, 'mlp'),
  }));
}

function stateOf({ dropped, int8, int4, target_precision: precision }: PlanFacts, name: string): UnitState {
  if (dropped.includes(name)) return 'skipped';
  if (int4.includes(name)) return precision === 'int4' ? 'a8' : 'int4';
  return int8.includes(name) ? 'int8' : 'kept';
}

/** Scores of one model mostly span orders of magnitude; their bars are logarithmic then. */
export function isLogarithmic(scores: readonly number[]): boolean {
  const low = Math.min(...scores);
  return low > 0 && Math.max(...scores) / low >= 10;
}

/** Score to length of a bar. */
function scaleOf(scores: readonly number[]): (score: number) => number {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const isLog = isLogarithmic(scores);
  const [start, end] = isLog ? [Math.log(low / 2), Math.log(high)] : [Math.min(0, low), high];
  return (score) => (end > start ? ((isLog ? Math.log(score) : score) - start) / (end - start) : 0);
}

/** The draft in a few sentences, after the model's precision where its weights are rounded. */
export function describePlan(facts: PlanFacts): string {
  const { units, dropped, int8, int4, head, acceptance_rate: rate } = facts;
  const isRounded = facts.target_precision === 'int4';
  const model = isRounded ? 'The model itself has weights of 4 bits. ' : '';
  if (facts.draft === null) {
    return `${model}No draft is served: on the machine that built this artifact none pays. Guesses come from the text itself.`;
  }
  const parts = [
    `skips ${dropped.length} of ${units.length} blocks`,
    int8.length > 0 && `computes ${int8.length} in 8 bits`,
    int4.length > 0 &&
      `computes ${int4.length} ${isRounded ? 'with the same weights and activations of 8 bits' : 'in 4 bits'}`,
    head === 'int8' && 'has an LM head of 8 bits',
    head === 'int4' &&
      (isRounded ? 'computes the LM head with activations of 8 bits' : 'has an LM head of 4 bits'),
    facts.draft_vocab_size < facts.vocab_size &&
      `proposes only the ${facts.draft_vocab_size} most frequent of ${facts.vocab_size} tokens`,
  ];
  const accepted = rate === null ? '' : ` The build saw ${Math.round(rate * 100)} % of its guesses accepted.`;
  const does = parts.filter(Boolean).join(', ');
  return `${model}The draft ${facts.draft} ${does} and keeps ${Math.round(facts.kept_share * 100)} % of the block weights.${accepted}`;
}
