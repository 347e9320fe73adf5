import { describe, expect, test } from 'bun:test';
import { mixedPlans, proposeDrafts } from '../../src/build/candidates.ts';
import { optionBytes } from '../../src/build/draft-memory.ts';
import type { OptionScores, PartOption } from '../../src/fit/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { HEAD_PART, listUnits, unitName } from '../../src/lib/units.ts';
import { mixPlans, planBytes } from '../../src/plan/mix.ts';
import { layoutRoundedFile, roundedFolder } from '../../src/quant/index.ts';
import { GOLDEN_MODELS, goldenDir } from '../golden/models.ts';

const folder = await readModelFolder(goldenDir('smollm2-tied'));
const { numLayers } = folder.config;
const scores = {
  method: 'last',
  units: Array.from({ length: 2 * numLayers }, (_, i) => ({ name: `${i}`, score: i })),
  layers: Array.from({ length: numLayers }, (_, i) => i),
} as const;

function propose(draftMemoryBytes?: number, keep?: number) {
  return proposeDrafts(folder, scores, { keep, draftMemoryBytes });
}

const units = listUnits(numLayers).map(unitName);

/** Losses that do not interact: 100 for a drop, 2 at 4 bits, 1 at 8. */
function scoreOptions(): OptionScores {
  const options = [
    ...units.map((part): PartOption => ({ part, kind: 'drop' })),
    ...(['int8', 'int4'] as const).flatMap((kind) =>
      [...units, HEAD_PART].map((part): PartOption => ({ part, kind })),
    ),
  ];
  const losses = { drop: 100, int4: 2, int8: 1 };
  const matrix = options.map((_, a) => options.map(({ kind }, b) => (a === b ? losses[kind] : 0)));
  return { options, matrix };
}

const scoredOptions = scoreOptions();

describe('proposeDrafts()', () => {
  test('without a limit offers whole rounded drafts, whose memory is that of their file', () => {
    for (const rounding of ['int4', 'int8'] as const) {
      const whole = propose().find(({ name }) => name === rounding)!;
      const { bytes, header } = layoutRoundedFile(folder.config, rounding);
      expect(whole.extraBytes).toBe(bytes - header.length);
      expect(whole.plan[rounding]).toHaveLength(2 * numLayers);
      expect(whole.keptShare).toBe(1);
      expect(whole.graph.spec.inputs.isDraft).toBe('is_draft');
      expect(whole.graph.spec.graph).toBe(`graph.${rounding}.onnx`);
    }
  });

  describe('with a head that is much of a step', () => {
    const vocabSize = 4096;
    const large = { ...folder, config: { ...folder.config, vocabSize } };
    // 200 tokens, over and over; 4000 is none of them, but ends a text.
    const scored = Array.from({ length: 10 }, () => Array.from({ length: 256 }, (_, i) => 1000 + (i % 200)));
    const generation = { ...folder.generation, eosTokenIds: [4000] };
    const withText = (keep?: number, draftMemoryBytes?: number) =>
      proposeDrafts({ ...large, generation }, scores, { keep, draftMemoryBytes }, scored);

    test('offers the least dropped draft of each rounding with the tokens of the text too', () => {
      const made = withText();
      const names = made.map(({ name }) => name);
      expect(names.slice(0, 2)).toEqual(['int8', 'int8-vocab-256']);
      expect(names.filter((name) => name.includes('vocab'))).toEqual(['int8-vocab-256', 'int4-vocab-256']);
      const [whole, reduced] = made;
      const { vocabulary } = reduced!.plan;
      expect(vocabulary).toHaveLength(256);
      expect(vocabulary).toEqual(expect.arrayContaining([1000, 1199, 4000]));
      expect(reduced!.graph.spec).toMatchObject({
        graph: 'graph.int8-vocab-256.onnx',
        draftVocabulary: vocabulary!,
      });
      // A row: 64 columns in one block of 128, and its scale.
      expect(whole!.extraBytes - reduced!.extraBytes).toBe((vocabSize - 256) * (128 + 4));
      expect(withText(0.5).map(({ name }) => name)).toEqual([
        'drop-6',
        'int8-drop-6',
        'int8-drop-6-vocab-256',
        'int4-drop-6',
        'int4-drop-6-vocab-256',
      ]);
    });

    test('a limit of memory may leave the reduced one alone', () => {
      const [, reduced] = withText();
      expect(withText(1, reduced!.extraBytes).map(({ name }) => name)).toContain('int8-vocab-256');
      expect(withText(1, reduced!.extraBytes).map(({ name }) => name)).not.toContain('int8');
    });
  });

  test('a unit is dropped or rounded, never both', () => {
    for (const { plan } of propose()) {
      const units = [...plan.dropped, ...(plan.int4 ?? []), ...(plan.int8 ?? [])];
      expect(new Set(units.map(({ layer, block }) => `${layer}.${block}`)).size).toBe(units.length);
    }
  });

  test('draft memory 0 leaves shared weights only, and a limit what fits', () => {
    const shared = propose(0);
    expect(shared.length).toBeGreaterThan(2);
    expect(shared.every(({ name, extraBytes }) => name.startsWith('drop-') && extraBytes === 0)).toBe(true);
    const limit = propose().find(({ name }) => name === 'int4')!.extraBytes;
    const names = propose(limit).map(({ name }) => name);
    expect(names).toContain('int4');
    expect(names).not.toContain('int8');
    expect(propose(limit - 1).map(({ name }) => name)).not.toContain('int4');
  });

  test('where rounding was scored, mixed drafts fill the sizes between and the memory there is', () => {
    const { options, matrix } = scoredOptions;
    const ofUnits = matrix.slice(0, units.length).map((row) => row.slice(0, units.length));
    const scored = { ...scores, method: 'fit', matrix: ofUnits, options: { options, matrix } } as const;
    const wishes = { keep: undefined, draftMemoryBytes: undefined };
    const all = proposeDrafts(folder, scored, wishes);
    const int8 = all.find(({ name }) => name === 'int8')!;
    expect(int8.predictedLoss).toBe((units.length + 1) / 2);
    expect(all.some(({ name }) => name.startsWith('int8-drop'))).toBe(false);
    const mixed = all.filter(({ name }) => name.startsWith('mixed-'));
    expect(mixed.length).toBeGreaterThan(1);
    expect(new Set(all.map(({ plan }) => JSON.stringify(plan))).size).toBe(all.length);
    for (const { name, plan, extraBytes, predictedLoss } of mixed) {
      expect(Math.round((100 * extraBytes) / int8.extraBytes)).toBe(Number(name.slice(6)));
      expect(predictedLoss).toBeGreaterThan(int8.predictedLoss!);
      expect(plan.dropped.length + plan.int4!.length + plan.int8!.length).toBe(units.length);
    }
    const bytesOf = (candidates: typeof all) => candidates.map(({ extraBytes }) => extraBytes);
    for (const share of [0.55, 0.659, 0.66, 0.805]) {
      const limit = Math.floor(share * int8.extraBytes);
      const fitting = proposeDrafts(folder, scored, { ...wishes, draftMemoryBytes: limit });
      const largest = Math.max(...bytesOf(fitting));
      expect(largest).toBeLessThanOrEqual(limit);
      // Nothing on the way from int8 down that fits is larger.
      const path = [...mixPlans({ options, matrix }, optionBytes(folder))];
      const fits = path.map((plan) => planBytes(plan, optionBytes(folder))).filter((size) => size <= limit);
      expect(largest).toBeGreaterThanOrEqual(Math.max(...fits));
    }
    const without = proposeDrafts(folder, scored, { ...wishes, draftMemoryBytes: 0 });
    expect(Math.max(...bytesOf(without))).toBe(0);
  });

  test('a large head does not make two names for one mixed draft', () => {
    const large = { ...folder, config: { ...folder.config, vocabSize: 20_000, tiedEmbeddings: true } };
    const { options, matrix } = scoredOptions;
    const plans = mixedPlans({ options, matrix }, optionBytes(large), Number.POSITIVE_INFINITY);
    expect(new Set(plans.map(({ plan }) => JSON.stringify(plan))).size).toBe(plans.length);
    expect(new Set(plans.map(({ percent }) => percent)).size).toBe(plans.length);
  });

  test.each(GOLDEN_MODELS)('methods that choose whole layers offer each draft of %s once', async (model) => {
    const small = await readModelFolder(goldenDir(model));
    const layers = Array.from({ length: small.config.numLayers }, (_, i) => i);
    const units = layers.flatMap((i) => [`${i}.attn`, `${i}.mlp`].map((name) => ({ name, score: i })));
    for (const method of ['last', 'random', 'cosine', 'fit-trace', 'fit-diag'] as const) {
      const made = proposeDrafts(
        small,
        { method, units, layers },
        { keep: undefined, draftMemoryBytes: undefined },
      );
      const plans = made.map(({ plan }) => JSON.stringify([plan.head, plan.dropped]));
      expect(made.length).toBeGreaterThan(4);
      expect(new Set(plans).size).toBe(made.length);
      expect(new Set(made.map(({ name }) => name)).size).toBe(made.length);
      for (const { name, plan, keptShare } of made) {
        expect(keptShare).toBeGreaterThan(0);
        expect(plan.dropped).toHaveLength(Number(/drop-(\d+)$/.exec(name)?.[1] ?? 0));
      }
    }
  });

  test('keep 0 leaves a unit, or a layer where whole layers are chosen', () => {
    const names = propose(0, 0).map(({ name }) => name);
    expect(names).toEqual([`drop-${2 * numLayers - 2}`]);
    expect(
      proposeDrafts(folder, { ...scores, method: 'fit-gate' }, { keep: 0, draftMemoryBytes: 0 }).map(
        ({ name }) => name,
      ),
    ).toEqual([`drop-${2 * numLayers - 1}`]);
  });

  test('keep 1 drops nothing, so only rounded drafts are left', () => {
    expect(propose(undefined, 1).map(({ name }) => name)).toEqual(['int8', 'int4']);
    expect(propose(0, 1)).toEqual([]);
  });

  test('of a target of int4 every draft has its weights, whatever memory is allowed, at every depth', () => {
    const rounded = roundedFolder(folder, folder.dir);
    const options = units.map((part): PartOption => ({ part, kind: 'drop' }));
    const matrix = units.map((_, a) => units.map((__, b) => (a === b ? a + 1 : 0)));
    const scored = { ...scores, method: 'fit', matrix, options: { options, matrix } } as const;
    const offer = (keep?: number) => proposeDrafts(rounded, scored, { keep, draftMemoryBytes: 0 });
    expect(offer().map(({ plan }) => plan.dropped.length)).toEqual([0, 2, 3, 5, 6, 8, 9, 11]);
    for (const { name, plan, extraBytes, predictedLoss, graph } of offer()) {
      expect(predictedLoss).toBeNull();
      expect(name).toBe(plan.dropped.length === 0 ? 'a8' : `a8-drop-${plan.dropped.length}`);
      expect(plan.int4).toHaveLength(2 * numLayers - plan.dropped.length);
      expect([plan.head, plan.int8, extraBytes]).toEqual(['int4', undefined, 0]);
      expect(graph.spec.graph).toBe(`graph.${name}.onnx`);
    }
    expect(offer(0.5).map(({ name }) => name)).toEqual([`a8-drop-${numLayers}`]);
  });
});
