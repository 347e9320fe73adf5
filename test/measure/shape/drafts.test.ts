import { describe, expect, test } from 'bun:test';
import { tmpdir } from 'node:os';
import { parseConfig } from '../../../src/hf/index.ts';
import { listShapeDrafts, planOfShapeDraft } from '../../../src/measure/shape/drafts.ts';
import { SHAPES } from '../../../src/measure/shape/index.ts';
import { countWeights, refuseTooLarge, roomOf } from '../../../src/measure/shape/room.ts';

const config = parseConfig(SHAPES['smollm2-135m']);

describe('listShapeDrafts()', () => {
  test('has every precision at every depth but the target itself', () => {
    const depths = (precision: string) =>
      listShapeDrafts({ ...config, numLayers: 28, vocabSize: 1001 })
        .filter((draft) => draft.precision === precision)
        .map(({ keptLayers, numTokens }) => [keptLayers, numTokens]);
    const both = (layers: number) => [
      [layers, undefined],
      [layers, 126],
    ];
    expect(depths('f32')).toEqual([21, 14, 7].flatMap(both));
    expect(depths('int8')).toEqual([28, 21, 14, 7].flatMap(both));
    expect(depths('int4')).toEqual([28, 21, 14, 7].flatMap(both));
  });

  test('has no draft twice, and none without a layer, where layers are few', () => {
    expect(listShapeDrafts({ ...config, numLayers: 1, vocabSize: 800 })).toEqual([
      { precision: 'int8', keptLayers: 1 },
      { precision: 'int8', keptLayers: 1, numTokens: 100 },
      { precision: 'int4', keptLayers: 1 },
      { precision: 'int4', keptLayers: 1, numTokens: 100 },
    ]);
  });
});

describe('planOfShapeDraft()', () => {
  test.each([
    [30, 15],
    [30, 23],
    [28, 7],
    [5, 5],
    [3, 1],
  ])('of %d layers keeps %d, evenly spread', (numLayers, keptLayers) => {
    const { dropped, int4, head } = planOfShapeDraft({ precision: 'int4', keptLayers }, numLayers);
    expect(int4).toHaveLength(2 * keptLayers);
    expect(dropped).toHaveLength(2 * (numLayers - keptLayers));
    expect(head).toBe('int4');
    const kept = int4!.filter(({ block }) => block === 'mlp').map(({ layer }) => layer);
    const gaps = kept.slice(1).map((layer, i) => layer - kept[i]!);
    expect(Math.max(0, ...gaps) - Math.min(...gaps, numLayers)).toBeLessThanOrEqual(1);
  });

  test('with fewer tokens has a rounded head, whatever the blocks are', () => {
    for (const [precision, head] of [
      ['f32', 'int8'],
      ['int8', 'int8'],
      ['int4', 'int4'],
    ] as const) {
      const plan = planOfShapeDraft({ precision, keptLayers: 1, numTokens: 3 }, 2);
      expect(plan).toMatchObject({ head, vocabulary: [0, 1, 2] });
    }
  });

  test('shares weights and head where nothing is rounded', () => {
    const plan = planOfShapeDraft({ precision: 'f32', keptLayers: 1 }, 2);
    expect(Object.keys(plan)).toEqual(['dropped']);
    expect(plan.dropped).toEqual([
      { layer: 0, block: 'attn' },
      { layer: 0, block: 'mlp' },
    ]);
  });
});

describe('room', () => {
  // The counts that the models' pages give.
  test.each([
    ['smollm2-135m', 134_515_008, 1.5e9, 1.7e9],
    ['qwen3-0.6b', 596_049_920, 6.1e9, 7e9],
  ])('%s has its published number of weights', (name, weights, least, most) => {
    const config = parseConfig(SHAPES[name]);
    expect(countWeights(config)).toBe(weights);
    expect(roomOf(config).memoryBytes).toBeGreaterThan(least);
    expect(roomOf(config).memoryBytes).toBeLessThan(most);
    expect(roomOf(config).diskBytes).toBeGreaterThan(3.5 * weights);
  });

  test('refuseTooLarge() says what is free and what is needed', async () => {
    const config = parseConfig({ ...SHAPES['qwen3-0.6b'], vocab_size: 1e9 });
    await expect(refuseTooLarge(config, tmpdir())).rejects.toThrow(
      /measuring this shape: \d+ MB of memory are free, needs about \d{8} MB/,
    );
    await refuseTooLarge(parseConfig({ ...SHAPES['smollm2-135m'], num_hidden_layers: 1 }), tmpdir());
  });
});
