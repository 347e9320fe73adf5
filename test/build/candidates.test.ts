import { describe, expect, test } from 'bun:test';
import { proposeDrafts } from '../../src/build/candidates.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { layoutRoundedFile } from '../../src/quant/index.ts';
import { goldenDir } from '../golden/models.ts';

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

  test('keep 1 drops nothing, so only rounded drafts are left', () => {
    expect(propose(undefined, 1).map(({ name }) => name)).toEqual(['int8', 'int4']);
    expect(propose(0, 1)).toEqual([]);
  });
});
