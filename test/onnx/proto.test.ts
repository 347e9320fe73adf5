import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModel, GraphBuilder, type Value } from '../../src/onnx/index.ts';
import { boolTensor, floatTensor, openSession } from '../../src/runtime/index.ts';
import { digestGraph } from './digest.ts';

/** Runs `build` over x [2, 3] = 0..5 in ONNX Runtime; returns the first output and what the builder inferred. */
async function evaluate(
  build: (g: GraphBuilder, x: Value) => Value,
): Promise<{ data: number[]; dims: readonly number[] }> {
  const g = new GraphBuilder();
  g.output('y', build(g, g.input('x', 'float32', [2, 3])));
  const session = await openSession({ graph: encodeModel(g.build()), weightsDir: tmpdir(), threads: 1 });
  const x = floatTensor(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3]);
  const y = session.run({ x }, ['y']).y!;
  session.dispose();
  expect([...y.dims]).toEqual(g.build().outputs[0]!.shape.map(Number));
  return { data: Array.from(y.data, Number), dims: y.dims };
}

describe('encodeModel() is read by ONNX Runtime', () => {
  test('int, ints, float and dtype attributes', async () => {
    expect((await evaluate((g, x) => g.op.Transpose(x, { perm: [1, 0] }))).data).toEqual([0, 3, 1, 4, 2, 5]);
    expect((await evaluate((g, x) => g.op.Cast(g.op.Div(x, 2), { to: 'int32' }))).data).toEqual([
      0, 0, 1, 1, 2, 2,
    ]);
    expect((await evaluate((g, x) => g.op.ReduceSum(x, [-1], { keepdims: 1 }))).data).toEqual([3, 12]);
    const ones = (g: GraphBuilder) => g.constant([1, 1, 1], 'float32', [3]);
    const norm = await evaluate((g, x) =>
      g.op.SimplifiedLayerNormalization(x, ones(g), { axis: -1, epsilon: 11 }),
    );
    expect(norm.data[2]).toBeCloseTo(2 / Math.sqrt(5 / 3 + 11), 6);
  });

  test('several outputs, and int64 constants', async () => {
    expect((await evaluate((g, x) => g.op.Split(x, [1, 2], { axis: 1 })[1]!)).data).toEqual([1, 2, 4, 5]);
    expect((await evaluate((g, x) => g.op.Slice(x, [-2], [3], [1]))).data).toEqual([1, 2, 4, 5]);
  });

  test('the shape that inference gives is the one that runs', async () => {
    expect((await evaluate((g, x) => g.op.FusedMatMul(x, x, { transA: 0, transB: 1 }))).data).toEqual([
      5, 14, 14, 50,
    ]);
    expect((await evaluate((g, x) => g.op.Unsqueeze(x, [0, -1]))).dims).toEqual([1, 2, 3, 1]);
    expect((await evaluate((g, x) => g.op.Concat([x, x], { axis: 0 }))).dims).toEqual([4, 3]);
  });

  test('both branches of an If read outer values', async () => {
    const g = new GraphBuilder();
    const [flag, x] = [g.input('flag', 'bool', [1]), g.input('x', 'float32', ['N'])];
    g.output(
      'y',
      g.if(
        flag,
        () => [g.op.Add(x, 10)],
        () => [x],
      )[0]!,
    );
    const session = await openSession({ graph: encodeModel(g.build()), weightsDir: tmpdir() });
    const run = (value: boolean) =>
      session.run({ flag: boolTensor(value), x: floatTensor(Float32Array.of(1, 2), [2]) }, ['y']).y!.data;
    expect([...run(true)].map(Number)).toEqual([11, 12]);
    expect([...run(false)].map(Number)).toEqual([1, 2]);
    session.dispose();
  });

  test('external initializers point into files at any offset', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sdfp-proto-'));
    writeFileSync(join(dir, 'w.bin'), new Uint8Array(Float32Array.of(9, 1, 2, 3, 9).buffer));
    const g = new GraphBuilder();
    const external = { kind: 'external', file: 'w.bin', offsetBytes: 4, lengthBytes: 12 } as const;
    g.output('y', g.op.Add(g.input('x', 'float32', [3]), g.initializer('w', 'float32', [3], external)));
    const session = await openSession({ graph: encodeModel(g.build()), weightsDir: dir });
    const y = session.run({ x: floatTensor(Float32Array.of(10, 20, 30), [3]) }, ['y']).y!;
    expect([...y.data].map(Number)).toEqual([11, 22, 33]);
    session.dispose();
    rmSync(dir, { recursive: true });
  });
});

describe('digestGraph()', () => {
  const build = (scope: string, factor: number) => {
    const g = new GraphBuilder();
    g.output(
      'y',
      g.scope(scope, () => g.op.Mul(g.input('x', 'float32', ['N']), factor)),
    );
    return g.build();
  };

  test('is a SHA-256 that renaming keeps and another constant changes', () => {
    expect(digestGraph(build('a', 2))).toBe(digestGraph(build('b', 2)));
    expect(digestGraph(build('a', 2))).not.toBe(digestGraph(build('a', 3)));
    expect(digestGraph(build('a', 2))).toHaveLength(createHash('sha256').digest('hex').length);
  });
});
