import { describe, expect, test } from 'bun:test';
import { proposeDrafts } from '../../src/build/candidates.ts';
import type { PartOption } from '../../src/fit/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { HEAD_PART, listUnits, unitName } from '../../src/lib/units.ts';
import { layoutRoundedFile } from '../../src/quant/index.ts';
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
    const units = listUnits(numLayers).map(unitName);
    const options = [
      ...units.map((part): PartOption => ({ part, kind: 'drop' })),
      ...(['int8', 'int4'] as const).flatMap((kind) =>
        [...units, HEAD_PART].map((part): PartOption => ({ part, kind })),
      ),
    ];
    const losses = { drop: 100, int4: 2, int8: 1 };
    const matrix = options.map((_, a) => options.map(({ kind }, b) => (a === b ? losses[kind] : 0)));
    const ofUnits = matrix.slice(0, units.length).map((row) => row.slice(0, units.length));
    const scored = { ...scores, method: 'fit', matrix: ofUnits, options: { options, matrix } } as const;
    const wishes = { keep: undefined, draftMemoryBytes: undefined };
    const all = proposeDrafts(folder, scored, wishes);
    const int8 = all.find(({ name }) => name === 'int8')!;
    expect(int8.predictedLoss).toBe((units.length + 1) / 2);
    expect(all.some(({ name }) => name.startsWith('int8-drop'))).toBe(false);
    const mixed = all.filter(({ name }) => name.startsWith('mixed-'));
    expect(mixed.length).toBeGreaterThan(1);
    for (const { name, plan, extraBytes, predictedLoss } of mixed) {
      expect(extraBytes).toBeLessThanOrEqual((Number(name.slice(6)) / 100) * int8.extraBytes);
      expect(predictedLoss).toBeGreaterThan(int8.predictedLoss!);
      expect(plan.dropped.length + plan.int4!.length + plan.int8!.length).toBe(units.length);
    }
    const limit = Math.floor(0.7 * int8.extraBytes);
    const fitting = proposeDrafts(folder, scored, { ...wishes, draftMemoryBytes: limit });
    const largest = Math.max(...fitting.map(({ extraBytes }) => extraBytes));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBe(fitting.find(({ name }) => name === 'mixed-69' || name === 'mixed-70')!.extraBytes);
    expect(
      proposeDrafts(folder, scored, { ...wishes, draftMemoryBytes: 0 }).every(
        ({ extraBytes }) => extraBytes === 0,
      ),
    ).toBe(true);
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
});
