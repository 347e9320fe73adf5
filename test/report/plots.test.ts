import { describe, expect, test } from 'bun:test';
import { bytes } from '../../src/report/format.ts';
import { describeDraft } from '../../src/report/plans.ts';
import { drawPlot, spreadApart } from '../../src/report/plots/draw.ts';
import { listInteractions } from '../../src/report/plots/interactions.ts';
import { plotScores } from '../../src/report/plots/scores.ts';

describe('spreadApart()', () => {
  test('leaves values alone that are far enough apart', () => {
    expect(spreadApart([3, 1, 2], 1)).toEqual([3, 1, 2]);
  });

  test('moves neighbours apart around their mean, in their order', () => {
    const placed = spreadApart([0.5, 0.51, 0.49, 2], 0.1);
    expect(placed.map((value) => Number(value.toFixed(6)))).toEqual([0.5, 0.6, 0.4, 2]);
  });

  test('groups that come to touch are moved together', () => {
    const placed = spreadApart([0, 0, 0.12, 0.12], 0.1).sort((a, b) => a - b);
    for (let i = 1; i < placed.length; i++) expect(placed[i]! - placed[i - 1]!).toBeGreaterThan(0.0999);
  });
});

describe('listInteractions()', () => {
  test('has every pair once, scaled by what the two are alone', () => {
    const pairs = listInteractions([
      [4, 3, 0],
      [3, 9, -20],
      [0, -20, 1],
    ]);
    expect(pairs).toEqual([
      { row: 1, column: 0, strength: 0.5 },
      { row: 2, column: 0, strength: 0 },
      { row: 2, column: 1, strength: -1 },
    ]);
  });

  test('a block without information has no interaction', () => {
    expect(
      listInteractions([
        [0, 0],
        [0, 5],
      ]),
    ).toEqual([{ row: 1, column: 0, strength: 0 }]);
  });
});

describe('plotScores()', () => {
  const rowsOf = (scores: readonly number[]) =>
    scores.map((score, i) => ({
      name: `${i}`,
      layer: Math.floor(i / 2),
      block: i % 2 === 0 ? ('attn' as const) : ('mlp' as const),
      score,
      state: 'kept' as const,
    }));

  test.each([
    ['orders of magnitude', [1e-6, 1, 20, 3e4], true],
    ['one order of magnitude', [1, 2, 3, 4], false],
    ['zeros', [0, 2, 300, 4], false],
    ['negative ones', [-1, 2, 300, 4], false],
    ['all the same', [0, 0, 0, 0], false],
  ])('%s: finite positions, log scale %s', (_, scores, isLog) => {
    const svg = plotScores(rowsOf(scores), 'fit');
    expect(svg.includes('log scale')).toBe(isLog);
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(svg.match(/<circle/g)).toHaveLength(4);
  });
});

test('drawPlot() rounds geometry and escapes its label', () => {
  const svg = drawPlot('a "b" <c>', { width: 100 / 3, height: 50, marks: [] });
  expect(svg).toContain('aria-label="a &quot;b&quot; <c>"');
  expect(svg).not.toMatch(/\d\.\d{3}/);
});

test('bytes() names the unit', () => {
  expect([999, 1000, 999_960, 26_200_000, 5e12].map(bytes)).toEqual([
    '999 bytes',
    '1.0 kB',
    '1.0 MB',
    '26.2 MB',
    '5000.0 GB',
  ]);
});

test('describeDraft() says what is skipped, rounded and loaded', () => {
  const draft = { name: 'd', graph: 'g', isDraft: null, slots: [], keptShare: 0.75, dropped: [] };
  expect(describeDraft(draft, 4)).toBe('keeps 75% of the block weights and needs no weights of its own');
  const unit = { layer: 0, block: 'attn' } as const;
  const mixed = {
    ...draft,
    dropped: [unit],
    int8: [unit, unit],
    int4: [unit],
    head: 'int4',
    extraBytes: 3000,
  } as const;
  expect(describeDraft(mixed, 4)).toBe(
    'skips 1 of the 4 blocks, computes 2 blocks with 8-bit weights, 1 block with 4-bit weights and the output layer with 4-bit weights, keeps 75% of the block weights and loads 3.0 kB of weights beside the model’s',
  );
  expect(describeDraft({ ...draft, head: 'int8', vocabulary: [0, 7] }, 4)).toStartWith(
    'computes the output layer with 8-bit weights, proposes the 2 most frequent tokens only, keeps 75%',
  );
});
