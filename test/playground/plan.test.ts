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

test('describePlan() says that no draft is served', () => {
  expect(describePlan({ ...FACTS, draft: null })).toContain('No draft is served');
});
