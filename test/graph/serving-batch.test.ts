import { expect, test } from 'bun:test';
import { buildServingGraph } from '../../src/graph/index.ts';
import { boolTensor, floatTensor, intTensor, openSession, type TensorLike } from '../../src/runtime/index.ts';
import { openGolden } from './golden.ts';
import { MASKED, relativeError } from './run-graph.ts';

const [ROWS, PAST] = [3, 16];

/** Cached rows that are valid, token ids and first position of each of two sequences. */
const SEQUENCES = [
  { length: 16, ids: [5, 6, 7] },
  { length: 9, ids: [8, 9, 10] },
] as const;

test('a batch of two sequences of different lengths gives what each gives alone, target and draft', async () => {
  const { folder } = await openGolden('llama32-ropescaled');
  const { bytes, spec } = buildServingGraph(folder, {
    dropped: [
      { layer: 0, block: 'attn' },
      { layer: 2, block: 'mlp' },
      { layer: 3, block: 'attn' },
    ],
  });
  const session = await openSession({ graph: bytes, weightsDir: folder.dir, threads: 1 });
  const slot = spec.numKvHeads * PAST * spec.headDim;
  const cache = spec.inputs.pastKeys.map((_, s) => SEQUENCES.map((_, b) => wave(2 * slot, s + 10 * b)));

  const run = (members: readonly number[], draft: boolean) => {
    const shape = [members.length, spec.numKvHeads, PAST, spec.headDim];
    const feeds: Record<string, TensorLike> = {
      [spec.inputs.inputIds]: intTensor(Int32Array.from(members.flatMap((b) => SEQUENCES[b]!.ids)), [
        members.length,
        ROWS,
      ]),
      [spec.inputs.positionIds]: intTensor(Int32Array.from(members.flatMap(positions)), [
        members.length,
        ROWS,
      ]),
      [spec.inputs.attentionBias]: floatTensor(Float32Array.from(members.flatMap(bias)), [
        members.length,
        ROWS,
        PAST + ROWS,
      ]),
      [spec.inputs.outputRows]: intTensor(
        Int32Array.from(members, (_, i) => i * ROWS + 2),
        [members.length],
      ),
      [spec.inputs.isDraft!]: boolTensor(draft),
    };
    cache.forEach((sequences, s) => {
      const part = (from: number) =>
        Float32Array.from(members.flatMap((b) => [...sequences[b]!.subarray(from, from + slot)]));
      feeds[spec.inputs.pastKeys[s]!] = floatTensor(part(0), shape);
      feeds[spec.inputs.pastValues[s]!] = floatTensor(part(slot), shape);
    });
    const outputs = session.run(feeds, [spec.outputs.logits, spec.outputs.newKeyValues]);
    return [outputs[spec.outputs.logits]!, outputs[spec.outputs.newKeyValues]!] as const;
  };

  for (const draft of [false, true]) {
    const [logits, rows] = run([0, 1], draft);
    const slots = draft ? spec.draftSlots.length : spec.inputs.pastKeys.length;
    expect([...rows.dims]).toEqual([2, spec.numKvHeads, 2 * slots * ROWS, spec.headDim]);
    for (const b of [0, 1]) {
      const [alone, aloneRows] = run([b], draft);
      expect(relativeError(half(logits, b), Array.from(alone.data, Number))).toBeLessThan(1e-5);
      expect(relativeError(half(rows, b), Array.from(aloneRows.data, Number))).toBeLessThan(1e-5);
    }
  }
  session.dispose();
});

function positions(b: number): number[] {
  return Array.from({ length: ROWS }, (_, i) => SEQUENCES[b]!.length + i);
}

function bias(b: number): number[] {
  return Array.from({ length: ROWS }, (_, query) =>
    Array.from({ length: PAST + ROWS }, (_, key) => {
      const isVisible = key < PAST ? key < SEQUENCES[b]!.length : key - PAST <= query;
      return isVisible ? 0 : MASKED;
    }),
  ).flat();
}

function half({ data }: TensorLike, b: number): number[] {
  const size = data.length / 2;
  return Array.from(data, Number).slice(b * size, (b + 1) * size);
}

function wave(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7 + seed));
}
