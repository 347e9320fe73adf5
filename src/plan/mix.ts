/**
 * Drafts that treat every part of the model differently: dropped, rounded to 4 or to 8 bits. All of it is priced by one
 * quadratic form, the KL divergence that the Fisher matrix predicts, and paid for in bytes, which is what a step reads.
 */
import type { OptionScores, PartOption } from '../fit/types.ts';
import { HEAD_PART, parseUnit } from '../lib/units.ts';
import type { Rounding } from '../quant/types.ts';
import type { DraftPlan, Unit } from './types.ts';

/** Bytes of weights that a draft step reads where it takes this option. */
export type OptionBytes = (option: PartOption) => number;

/** An option counts as at least this share of what it costs alone; see `select.ts`. */
const SMALLEST_SHARE = 0.1;

/**
 * The plans from all parts rounded to 8 bits down to the smallest, each one change from the last: the change that adds
 * the least predicted loss for a byte saved. One unit stays always.
 */
export function* mixPlans(scores: OptionScores, bytesOf: OptionBytes): Generator<DraftPlan> {
  const mix = new Mix(scores, bytesOf);
  do yield mix.plan();
  while (mix.shrink());
}

/** Bytes of weights that a step of a draft reads, as far as its parts are options. */
export function planBytes(plan: DraftPlan, bytesOf: OptionBytes): number {
  return listChosen(plan).reduce((sum, option) => sum + bytesOf(option), 0);
}

/**
 * KL divergence that the draft `plan` is predicted to have from the target, in nats per sequence. Throws TypeError
 * where the scores lack an option that the plan takes.
 */
export function predictLoss({ options, matrix }: OptionScores, plan: DraftPlan): number {
  const chosen = listChosen(plan).map(({ part, kind }) => {
    const index = options.findIndex((option) => option.part === part && option.kind === kind);
    if (index < 0) throw new TypeError(`predicting a loss: ${part} as ${kind} was not scored`);
    return index;
  });
  return chosen.reduce((sum, a) => chosen.reduce((inner, b) => inner + matrix[a]![b]! / 2, sum), 0);
}

/** Everything in which the draft differs from the target. */
function listChosen({ dropped, int4 = [], int8 = [], head = 'shared' }: DraftPlan): PartOption[] {
  const of = (units: readonly Unit[], kind: PartOption['kind']) =>
    units.map(({ layer, block }): PartOption => ({ part: `${layer}.${block}`, kind }));
  const ofHead: PartOption[] = head === 'shared' ? [] : [{ part: HEAD_PART, kind: head }];
  return [...of(dropped, 'drop'), ...of(int8, 'int8'), ...of(int4, 'int4'), ...ofHead];
}

/** One option per part, and what another would change. */
class Mix {
  readonly #options: readonly PartOption[];
  readonly #matrix: readonly (readonly number[])[];
  readonly #bytes: readonly number[];
  /** Index of the option taken, by part. */
  readonly #taken: Map<string, number>;
  /** pull[a] = sum of F_ab over the options b taken. */
  readonly #pull: number[];

  constructor({ options, matrix }: OptionScores, bytesOf: OptionBytes) {
    this.#options = options;
    this.#matrix = matrix;
    this.#bytes = options.map(bytesOf);
    const start = options.flatMap(({ kind, part }, a): [string, number][] =>
      kind === 'int8' ? [[part, a]] : [],
    );
    this.#taken = new Map(start);
    this.#pull = matrix.map((row) => start.reduce((sum, [, b]) => sum + row[b]!, 0));
  }

  plan(): DraftPlan {
    const taken = [...this.#taken.values()].map((a) => this.#options[a]!);
    const units = (wanted: PartOption['kind']) =>
      taken.flatMap(({ part, kind }) => (kind === wanted ? (parseUnit(part) ?? []) : []));
    const head = taken.find(({ part }) => part === HEAD_PART)?.kind as Rounding;
    return { dropped: units('drop'), int8: units('int8'), int4: units('int4'), head };
  }

  /** Takes the cheapest change; false: none is left. */
  shrink(): boolean {
    let [best, bestPrice] = [-1, Number.POSITIVE_INFINITY];
    for (const [b, option] of this.#options.entries()) {
      const a = this.#taken.get(option.part)!;
      const saved = this.#bytes[a]! - this.#bytes[b]!;
      if (saved <= 0 || (option.kind === 'drop' && this.#isLastUnit(a))) continue;
      const price = this.#addedLoss(a, b) / saved;
      if (price < bestPrice) [best, bestPrice] = [b, price];
    }
    if (best >= 0) this.#take(best);
    return best >= 0;
  }

  /** By taking option `b` of a part in place of `a`. */
  #addedLoss(a: number, b: number): number {
    const [rowA, rowB] = [this.#matrix[a]!, this.#matrix[b]!];
    const others = this.#pull[b]! - rowB[a]! - (this.#pull[a]! - rowA[a]!);
    const alone = (rowB[b]! - rowA[a]!) / 2;
    return Math.max(others + alone, SMALLEST_SHARE * alone);
  }

  #isLastUnit(taken: number): boolean {
    const isKept = (a: number) => this.#options[a]!.kind !== 'drop' && this.#options[a]!.part !== HEAD_PART;
    return isKept(taken) && [...this.#taken.values()].filter(isKept).length === 1;
  }

  #take(b: number): void {
    const { part } = this.#options[b]!;
    const a = this.#taken.get(part)!;
    this.#taken.set(part, b);
    for (const [i, row] of this.#matrix.entries()) this.#pull[i]! += row[b]! - row[a]!;
  }
}
