import { describe, expect, test } from 'bun:test';
import { proposeDrafts } from '../../src/build/candidates.ts';
import { readModelFolder } from '../../src/hf/index.ts';
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
    const offer = (keep?: number) => proposeDrafts(rounded, scores, { keep, draftMemoryBytes: 0 });
    expect(offer().map(({ plan }) => plan.dropped.length)).toEqual([0, 2, 4, 6, 8, 10]);
    for (const { name, plan, extraBytes, graph } of offer()) {
      expect(name).toBe(plan.dropped.length === 0 ? 'a8' : `a8-drop-${plan.dropped.length}`);
      expect(plan.int4).toHaveLength(2 * numLayers - plan.dropped.length);
      expect([plan.head, plan.int8, extraBytes]).toEqual(['int4', undefined, 0]);
      expect(graph.spec.graph).toBe(`graph.${name}.onnx`);
    }
    expect(offer(0.5).map(({ name }) => name)).toEqual([`a8-drop-${numLayers}`]);
  });
});
