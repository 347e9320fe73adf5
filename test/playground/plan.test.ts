import { expect, test } from 'bun:test';
import { describePlan, planRows } from '../../src/playground/plan.ts';
import { FAKE_PLAN_FACTS } from '../fakes/completion-server.ts';

const FACTS = FAKE_PLAN_FACTS;

test('planRows() gives every unit its score and what the draft does with it', () => {
  expect(planRows(FACTS)).toMatchObject([
    { layer: 0, attn: { score: 10, state: 'kept' }, mlp: { score: 2, state: 'int8' } },
    { layer: 1, attn: { score: 0.1, state: 'skipped' }, mlp: { score: 1, state: 'int4' } },
  ]);
});

test('planRows() tells activations of 8 bits with the weights of a model of 4 bits from rounded weights', () => {
  const rows = planRows({ ...FACTS, target_precision: 'int4' });
  expect(rows[1]).toMatchObject({ attn: { state: 'skipped' }, mlp: { state: 'a8' } });
  expect(rows[0]?.mlp.state).toBe('int8');
});

test('planRows() draws scores of several orders of magnitude by their logarithm', () => {
  const [first, second] = planRows(FACTS);
  expect(first?.attn.barLength).toBe(1);
  // From 0.05 (half of the lowest) to 10.
  expect(second?.mlp.barLength).toBeCloseTo(Math.log(20) / Math.log(200));
  expect(second?.attn.barLength).toBeCloseTo(Math.log(2) / Math.log(200));
});

test.each([
  [
    [0, 4],
    [0, 1],
  ],
  [
    [2, 4],
    [0.5, 1],
  ],
  [
    [-4, 4],
    [0, 1],
  ],
  [
    [0, 0],
    [0, 0],
  ],
])('planRows() draws scores %j in lengths %j', ([attn = 0, mlp = 0], [attnLength, mlpLength]) => {
  const units = [
    { name: '0.attn', score: attn },
    { name: '0.mlp', score: mlp },
  ];
  const [row] = planRows({ ...FACTS, units });
  expect([row?.attn.barLength, row?.mlp.barLength]).toEqual([attnLength, mlpLength]);
});

test('describePlan() names what the draft skips and rounds', () => {
  expect(describePlan(FACTS)).toBe(
    'The draft int4-drop-1 skips 1 of 4 blocks, computes 1 in 8 bits, computes 1 in 4 bits, has an LM head of 8 bits and keeps 60 % of the block weights. The build saw 71 % of its guesses accepted.',
  );
});

test('describePlan() says what a draft of a model of 4 bits differs in, and which tokens it proposes', () => {
  const facts = {
    ...FACTS,
    target_precision: 'int4',
    draft: 'a8-vocab-1024',
    dropped: [],
    int8: [],
    int4: FACTS.units.map(({ name }) => name),
    head: 'int4',
    draft_vocab_size: 1024,
    kept_share: 1,
  } as const;
  expect(describePlan(facts)).toBe(
    'The model itself has weights of 4 bits. The draft a8-vocab-1024 skips 0 of 4 blocks, computes 4 with the same weights and activations of 8 bits, computes the LM head with activations of 8 bits, proposes only the 1024 most frequent of 4096 tokens and keeps 100 % of the block weights. The build saw 71 % of its guesses accepted.',
  );
  expect(describePlan({ ...facts, draft: null })).toStartWith(
    'The model itself has weights of 4 bits. No draft',
  );
});

test('describePlan() says that no draft is served', () => {
  expect(describePlan({ ...FACTS, draft: null })).toContain('No draft is served');
});
