import { describe, expect, test } from 'bun:test';
import { GraphBuilder, type Shape, type Value } from '../../src/onnx/index.ts';

function floats(g: GraphBuilder, ...shape: Shape): Value {
  return g.input(`x${g.build().inputs.length}`, 'float32', shape);
}

/** Each case builds one value; its inferred type is the expectation. */
const INFERRED: readonly (readonly [string, (g: GraphBuilder) => Value, string])[] = [
  ['Add broadcasts', (g) => g.op.Add(floats(g, 'B', 1, 4), floats(g, 'S', 4)), 'float32 [B, S, 4]'],
  ['MatMul', (g) => g.op.MatMul(floats(g, 'B', 'S', 8), floats(g, 8, 5)), 'float32 [B, S, 5]'],
  [
    'MatMul broadcasts batches',
    (g) => g.op.MatMul(floats(g, 'B', 2, 3, 'P'), floats(g, 2, 'P', 7)),
    'float32 [B, 2, 3, 7]',
  ],
  [
    'FusedMatMul',
    (g) => g.op.FusedMatMul(floats(g, 'B', 'S', 8), floats(g, 5, 8), { transA: 0, transB: 1 }),
    'float32 [B, S, 5]',
  ],
  [
    'Concat adds dims',
    (g) => g.op.Concat([floats(g, 2, 'P'), floats(g, 2, 'S')], { axis: -1 }),
    'float32 [2, P+S]',
  ],
  ['Reshape by numbers', (g) => g.op.Reshape(floats(g, 'B', 'S', 12), [0, -1, 3, 4]), 'float32 [B, S, 3, 4]'],
  ['Reshape to rows', (g) => g.op.Reshape(floats(g, 'B', 'S', 12), [-1, 12]), 'float32 [B*S, 12]'],
  [
    'reshape by symbols',
    (g) => g.reshape(floats(g, 'B', 6, 'S', 4), ['B', 2, '3*S', 4]),
    'float32 [B, 2, 3*S, 4]',
  ],
  [
    'Reshape by a computed shape',
    (g) => reshapeLike(g, floats(g, '2*B*S', 3), floats(g, 'B', 'S')),
    'float32 [B, S, 6]',
  ],
  [
    'Expand to the shape of another',
    (g) => g.op.Expand(1, g.op.Shape(floats(g, 'B', 3), { start: 0, end: 2 })),
    'float32 [B, 3]',
  ],
  ['Transpose', (g) => g.op.Transpose(floats(g, 'B', 'S', 3), { perm: [2, 0, 1] }), 'float32 [3, B, S]'],
  ['Split', (g) => g.op.Split(floats(g, 'B', 7), [3, 4], { axis: 1 })[1]!, 'float32 [B, 4]'],
  ['Split by symbols', (g) => splitBack(g, floats(g, 'P'), floats(g, 'S')), 'float32 [S]'],
  [
    'Gather',
    (g) => g.op.Gather(floats(g, 9, 4), g.input('i', 'int32', ['B', 'S']), { axis: 0 }),
    'float32 [B, S, 4]',
  ],
  ['Slice', (g) => g.op.Slice(floats(g, 'B', 10), [2], [-1], [1]), 'float32 [B, 7]'],
  ['Slice to nothing', (g) => g.op.Slice(floats(g, 'B', 'P'), [0], [0], [1]), 'float32 [B, 0]'],
  ['ReduceSum', (g) => g.op.ReduceSum(floats(g, 'B', 'S', 3), [0, -1], { keepdims: 0 }), 'float32 [S]'],
  [
    'ReduceMean keeps dims',
    (g) => g.op.ReduceMean(floats(g, 'B', 3), [-1], { keepdims: 1 }),
    'float32 [B, 1]',
  ],
  ['Unsqueeze', (g) => g.op.Unsqueeze(floats(g, 'B', 3), [1, -1]), 'float32 [B, 1, 3, 1]'],
  ['Squeeze', (g) => g.op.Squeeze(floats(g, 'B', 1, 3), [1]), 'float32 [B, 3]'],
  ['Cast', (g) => g.op.Cast(floats(g, 'B'), { to: 'int64' }), 'int64 [B]'],
  ['Equal', (g) => g.op.Equal(floats(g, 'B', 1), floats(g, 3)), 'bool [B, 3]'],
  [
    'RotaryEmbedding',
    (g) => g.op.RotaryEmbedding(floats(g, 'B', 2, 'S', 8), floats(g, 'B', 'S', 4), floats(g, 'B', 'S', 4)),
    'float32 [B, 2, S, 8]',
  ],
];

function reshapeLike(g: GraphBuilder, x: Value, like: Value): Value {
  const sizes = [g.op.Shape(like, { start: 0, end: 2 }), g.constant([6], 'int64', [1])];
  return g.op.Reshape(x, g.op.Concat(sizes, { axis: 0 }));
}

function splitBack(g: GraphBuilder, a: Value, b: Value): Value {
  const sizes = g.op.Concat([g.op.Shape(a, { start: 0, end: 1 }), g.op.Shape(b, { start: 0, end: 1 })], {
    axis: 0,
  });
  return g.op.Split(g.op.Concat([a, b], { axis: 0 }), sizes, { axis: 0 })[1]!;
}

/** Each case fails; the message names the node by its scope and all shapes involved. */
const REFUSED: readonly (readonly [string, (g: GraphBuilder) => unknown, string])[] = [
  [
    'MatMul',
    (g) => g.op.MatMul(floats(g, 'B', 'S', 8), floats(g, 7, 5)),
    'cannot multiply [B, S, 8] by [7, 5]',
  ],
  ['Add', (g) => g.op.Add(floats(g, 'S', 3), floats(g, 'P', 3)), 'cannot broadcast [S, 3] with [P, 3]'],
  [
    'Add',
    (g) => g.op.Add(floats(g, 3), g.input('i', 'int32', [3])),
    'needs operands of one dtype, found float32 [3] and int32 [3]',
  ],
  [
    'Concat',
    (g) => g.op.Concat([floats(g, 2, 3), floats(g, 3, 3)], { axis: 1 }),
    'cannot join [2, 3] and [3, 3] along axis 1',
  ],
  ['Reshape', (g) => g.op.Reshape(floats(g, 2, 3), [4, -1]), 'cannot reshape [2, 3] (6 elements) to [4, -1]'],
  ['Reshape', (g) => g.op.Reshape(floats(g, 2, 3), [7]), 'cannot reshape [2, 3] (6 elements) to [7]'],
  ['Split', (g) => g.op.Split(floats(g, 5), [2, 2], { axis: 0 }), 'cannot split axis 0 of [5] into [2, 2]'],
  [
    'Transpose',
    (g) => g.op.Transpose(floats(g, 2, 3), { perm: [0, 0] }),
    'cannot transpose [2, 3] by [0, 0]',
  ],
  ['Softmax', (g) => g.op.Softmax(floats(g, 2, 3), { axis: 2 }), 'has axis 2, needs one of -2 to 1'],
  [
    'SimplifiedLayerNormalization',
    (g) => g.op.SimplifiedLayerNormalization(floats(g, 'B', 4), floats(g, 5), { axis: -1, epsilon: 1 }),
    'cannot scale the last axis of [B, 4] by [5]',
  ],
  [
    'RotaryEmbedding',
    (g) => g.op.RotaryEmbedding(floats(g, 'B', 2, 'S', 8), floats(g, 'B', 'S', 8), floats(g, 'B', 'S', 8)),
    'cannot rotate [B, 2, S, 8] by [B, S, 8]',
  ],
  ['Slice', (g) => g.op.Slice(floats(g, 'P'), [1], [3], [0]), 'cannot slice the symbolic dim P from 1 to 3'],
];

describe('GraphBuilder.op', () => {
  test.each(INFERRED)('%s', (_, build, type) => {
    expect(String(build(new GraphBuilder()))).toBe(type);
  });

  test.each(REFUSED)('%s of unfit shapes is refused by name', (op, build, problem) => {
    const g = new GraphBuilder();
    expect(() => g.scope('layers.3', () => g.scope('attn.q', () => build(g)))).toThrow(
      `Building layers.3.attn.q.${op}: ${op} ${problem}`,
    );
  });

  test('misspelt operators and attributes do not compile', () => {
    const g = new GraphBuilder();
    const x = floats(g, 2, 3);
    // @ts-expect-error no such operator
    expect(() => g.op.Matmul(x, x)).toThrow();
    // @ts-expect-error no such attribute
    g.op.Softmax(x, { axes: -1, axis: -1 });
    // @ts-expect-error the axis is missing
    expect(() => g.op.Concat([x, x])).toThrow();
  });
});

describe('GraphBuilder', () => {
  test('names are scoped and unique', () => {
    const g = new GraphBuilder();
    const x = floats(g, 2);
    const names = g.scope('layers.0', () => [g.op.Neg(x), g.op.Neg(x)].map((value) => value.name));
    expect(names).toEqual(['layers.0.Neg', 'layers.0.Neg_1']);
    expect(g.op.Neg(x).name).toBe('Neg');
  });

  test('a scope ends with its body, also when that throws', () => {
    const g = new GraphBuilder();
    expect(() =>
      g.scope('a', () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(g.op.Neg(floats(g, 2)).name).toBe('Neg');
  });

  test('equal constants and initializers are stored once, in the root graph', () => {
    const g = new GraphBuilder();
    const flag = g.input('flag', 'bool', [1]);
    const file = { kind: 'external', file: 'w', offsetBytes: 0, lengthBytes: 8 } as const;
    const weight = () => g.initializer('w', 'float32', [2], file);
    const body = () => [g.op.Mul(g.op.Add(weight(), 2), g.op.Reshape(weight(), [2]))];
    g.if(flag, body, body);
    expect(g.build().initializers.map(({ value }) => String(value))).toEqual([
      'float32 [2]',
      'float32 []',
      'int64 [1]',
    ]);
  });

  test('values know their node, nodes their values', () => {
    const g = new GraphBuilder();
    const [x, w] = [floats(g, 2, 3), floats(g, 3, 4)];
    const y = g.op.MatMul(x, w);
    expect(y.producer?.op).toBe('MatMul');
    expect(y.producer?.inputs).toEqual([x, w]);
    expect(y.producer?.outputs).toEqual([y]);
    expect(x.producer).toBeUndefined();
  });

  test('if() keeps dims on which both branches agree, and invents symbols for others', () => {
    const g = new GraphBuilder();
    const [flag, x] = [g.input('flag', 'bool', [1]), floats(g, 'B', 2)];
    const [y] = g.if(
      flag,
      () => [g.op.Slice(x, [0], [1], [1])],
      () => [x],
    );
    expect(y!.shape).toEqual(['B', 'If:0:1']);
    const branches = y!.producer?.branches;
    expect(branches?.thenBranch.nodes.map((node) => node.name)).toEqual([
      'If.then.Slice',
      'If.then.Identity',
    ]);
    expect(g.build().nodes.map((node) => node.op)).toEqual(['If']);
  });

  test('if() refuses branches that do not match', () => {
    const g = new GraphBuilder();
    const [flag, x] = [g.input('flag', 'bool', [1]), floats(g, 'B', 2)];
    expect(() =>
      g.if(
        flag,
        () => [x],
        () => [],
      ),
    ).toThrow('branches of 1 and 0 outputs');
    expect(() =>
      g.if(
        flag,
        () => [x],
        () => [flag],
      ),
    ).toThrow('cannot give float32 [B, 2] in one branch and bool [1]');
  });
});

describe('names', () => {
  test('a taken name gets the lowest free number behind it', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [1]);
    g.input('Neg_2', 'float32', [1]);
    const names = Array.from({ length: 4 }, () => g.op.Neg(x).name);
    expect(names).toEqual(['Neg', 'Neg_1', 'Neg_3', 'Neg_4']);
    expect(g.input('x', 'float32', [1]).name).toBe('x_1');
    expect(g.input('Neg_1', 'float32', [1]).name).toBe('Neg_1_1');
  });

  test('many nodes of one operator take time in proportion to their number', () => {
    const started = performance.now();
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [1]);
    for (let i = 0; i < 6000; i++) g.op.Neg(x);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
