import { expect, test } from 'bun:test';
import type { OptionScores, PartOption } from '../../src/fit/index.ts';
import { mixPlans, type OptionBytes, planBytes, predictLoss } from '../../src/plan/mix.ts';
import type { DraftPlan } from '../../src/plan/types.ts';

const UNITS = ['0.attn', '0.mlp', '1.attn', '1.mlp'];
const SIZES: Readonly<Record<string, number>> = { '0.attn': 2, '0.mlp': 4, '1.attn': 2, '1.mlp': 4, head: 8 };
const SHARES = { drop: 0, int4: 0.5, int8: 1 } as const;
const bytesOf: OptionBytes = ({ part, kind }) => SIZES[part]! * SHARES[kind];

const options: readonly PartOption[] = [
  ...UNITS.map((part): PartOption => ({ part, kind: 'drop' })),
  ...(['int8', 'int4'] as const).flatMap((kind) =>
    [...UNITS, 'head'].map((part): PartOption => ({ part, kind })),
  ),
];

/** Losses of options that do not interact. */
function independent(losses: (option: PartOption) => number): OptionScores {
  const matrix = options.map((option, a) => options.map((_, b) => (a === b ? 2 * losses(option) : 0)));
  return { options, matrix };
}

const LOSSES = { drop: 100, int4: 1, int8: 0 } as const;

function kindOf({ dropped, int4 = [], int8 = [], head }: DraftPlan, part: string): string {
  const has = (units: DraftPlan['dropped']) => units.some(({ layer, block }) => `${layer}.${block}` === part);
  if (part === 'head') return String(head);
  return has(dropped) ? 'drop' : has(int4) ? 'int4' : has(int8) ? 'int8' : 'shared';
}

test('plans begin with everything at 8 bits, and each is smaller than the last', () => {
  const plans = [
    ...mixPlans(
      independent(({ kind }) => LOSSES[kind]),
      bytesOf,
    ),
  ];
  expect(plans[0]!.int8).toHaveLength(4);
  expect(plans[0]!.head).toBe('int8');
  const sizes = plans.map((plan) => planBytes(plan, bytesOf));
  expect(sizes[0]).toBe(20);
  for (const [i, size] of sizes.slice(1).entries()) expect(size).toBeLessThan(sizes[i]!);
  for (const plan of plans) {
    for (const part of [...UNITS, 'head']) expect(kindOf(plan, part)).not.toBe('shared');
  }
  // One unit stays, however small the draft gets.
  expect(plans.at(-1)!.dropped).toHaveLength(3);
  expect(plans.at(-1)!.head).toBe('int4');
});

test('the change that loses least for a byte comes first', () => {
  // 0.mlp at 4 bits saves twice what 0.attn does for the same loss; dropping 1.attn loses nothing.
  const scores = independent(({ part, kind }) => (part === '1.attn' && kind === 'drop' ? 0 : LOSSES[kind]));
  const changes = [...mixPlans(scores, bytesOf)].slice(0, 4);
  expect(kindOf(changes[1]!, '1.attn')).toBe('drop');
  expect(kindOf(changes[2]!, 'head')).toBe('int4');
  expect(kindOf(changes[3]!, '0.mlp')).toBe('int4');
  expect(kindOf(changes[3]!, '0.attn')).toBe('int8');
});

test('two removals that compensate each other are preferred', () => {
  const index = (part: string) =>
    options.findIndex((option) => option.part === part && option.kind === 'drop');
  const { matrix } = independent(({ part, kind }) =>
    kind === 'drop' && part.endsWith('attn') ? 10 : { drop: 30, int4: 1000, int8: 0 }[kind],
  );
  const joined = matrix.map((row) => [...row]);
  const [a, b] = [index('0.attn'), index('1.attn')];
  joined[a]![b] = -18;
  joined[b]![a] = -18;
  // An attention block alone costs 5 a byte, an MLP 7.5; the second attention block is nearly free once the first is gone.
  const dropped = (scores: OptionScores) =>
    [...mixPlans(scores, bytesOf)].map((plan) => plan.dropped.map(({ block }) => block).join('+'));
  expect(dropped({ options, matrix: joined }).slice(1, 3)).toEqual(['attn', 'attn+attn']);
  expect(
    predictLoss({ options, matrix: joined }, [...mixPlans({ options, matrix: joined }, bytesOf)][2]!),
  ).toBe(2);
});

test('the predicted loss is half the sum over all pairs of what the plan does', () => {
  const matrix = options.map((_, a) => options.map((__, b) => 1 / (1 + a + b)));
  const plan: DraftPlan = {
    dropped: [{ layer: 0, block: 'mlp' }],
    int4: [{ layer: 1, block: 'attn' }],
    int8: [],
    head: 'int8',
  };
  const taken = [
    { part: '0.mlp', kind: 'drop' },
    { part: '1.attn', kind: 'int4' },
    { part: 'head', kind: 'int8' },
  ].map(({ part, kind }) => options.findIndex((option) => option.part === part && option.kind === kind));
  const expected = taken.flatMap((a) => taken.map((b) => matrix[a]![b]! / 2)).reduce((x, y) => x + y);
  expect(predictLoss({ options, matrix }, plan)).toBeCloseTo(expected, 12);
  expect(predictLoss({ options, matrix }, { dropped: [] })).toBe(0);
  const removals = { options: options.slice(0, 4), matrix };
  expect(() => predictLoss(removals, plan)).toThrow('1.attn as int4 was not scored');
});
