import { describe, expect, test } from 'bun:test';
import { differentiate } from '../../src/graph/backward.ts';
import { backwardRules } from '../../src/graph/backward-rules.ts';
import { type Dim, encodeModel, GraphBuilder, type OpMethods, type Value } from '../../src/onnx/index.ts';
import { openSession } from '../../src/runtime/index.ts';

/** An operator in use: the gradient of a weighted sum of its output is compared with finite differences. */
interface Case {
  readonly op: keyof typeof backwardRules;
  readonly about?: string;
  /** Shapes of the differentiated float32 inputs; symbols are 2 (S), 3 (T). */
  readonly shapes: readonly (readonly Dim[])[];
  /** Values are drawn from here; default [-1, 1]. */
  readonly range?: readonly [number, number];
  readonly build: (op: OpMethods, x: readonly Value[], g: GraphBuilder) => Value;
}

const symbols: Readonly<Record<string, number>> = { S: 2, T: 3 };

const positive = [0.5, 2] as const;

const cases: readonly Case[] = [
  {
    op: 'Add',
    shapes: [
      ['S', 3],
      ['S', 3],
    ],
    build: (op, [a, b]) => op.Add(a!, b!),
  },
  {
    op: 'Add',
    about: 'broadcast',
    shapes: [
      ['S', 'T', 3],
      ['T', 1],
    ],
    build: (op, [a, b]) => op.Add(a!, b!),
  },
  { op: 'Add', about: 'a value with itself', shapes: [['S', 3]], build: (op, [a]) => op.Add(a!, a!) },
  { op: 'Sub', about: 'broadcast', shapes: [[3], ['S', 3]], build: (op, [a, b]) => op.Sub(a!, b!) },
  {
    op: 'Mul',
    shapes: [
      ['S', 3],
      ['S', 3],
    ],
    build: (op, [a, b]) => op.Mul(a!, b!),
  },
  { op: 'Mul', about: 'by a scalar constant', shapes: [['S', 3]], build: (op, [a]) => op.Mul(a!, 0.7) },
  {
    op: 'Div',
    about: 'broadcast',
    shapes: [
      ['S', 3],
      ['S', 1],
    ],
    range: positive,
    build: (op, [a, b]) => op.Div(a!, b!),
  },
  {
    op: 'Where',
    shapes: [
      ['S', 3],
      ['S', 3],
    ],
    build: (op, [a, b], g) => op.Where(g.constant([1, 0, 1], 'bool', [3]), a!, b!),
  },
  {
    op: 'Equal',
    about: 'passes nothing on',
    shapes: [['S', 3]],
    build: (op, [a]) => op.Mul(a!, op.Cast(op.Equal(a!, a!), { to: 'float32' })),
  },
  { op: 'Neg', shapes: [['S', 3]], build: (op, [x]) => op.Neg(x!) },
  { op: 'Exp', shapes: [['S', 3]], build: (op, [x]) => op.Exp(x!) },
  { op: 'Log', shapes: [['S', 3]], range: positive, build: (op, [x]) => op.Log(x!) },
  { op: 'Sqrt', shapes: [['S', 3]], range: positive, build: (op, [x]) => op.Sqrt(x!) },
  { op: 'Reciprocal', shapes: [['S', 3]], range: positive, build: (op, [x]) => op.Reciprocal(x!) },
  { op: 'Sigmoid', shapes: [['S', 3]], build: (op, [x]) => op.Sigmoid(x!) },
  { op: 'Cos', shapes: [['S', 3]], build: (op, [x]) => op.Cos(x!) },
  { op: 'Sin', shapes: [['S', 3]], build: (op, [x]) => op.Sin(x!) },
  { op: 'Identity', shapes: [['S', 3]], build: (op, [x]) => op.Identity(x!) },
  { op: 'Cast', shapes: [['S', 3]], build: (op, [x]) => op.Cast(x!, { to: 'float32' }) },
  { op: 'Softmax', shapes: [['S', 4]], build: (op, [x]) => op.Softmax(x!, { axis: -1 }) },
  {
    op: 'Softmax',
    about: 'over the first axis',
    shapes: [['S', 4]],
    build: (op, [x]) => op.Softmax(x!, { axis: 0 }),
  },
  { op: 'LogSoftmax', shapes: [['S', 4]], build: (op, [x]) => op.LogSoftmax(x!, { axis: -1 }) },
  {
    op: 'LogSoftmax',
    about: 'over a middle axis',
    shapes: [[2, 'T', 3]],
    build: (op, [x]) => op.LogSoftmax(x!, { axis: 1 }),
  },
  {
    op: 'ReduceSum',
    shapes: [['S', 'T', 2]],
    build: (op, [x]) => op.ReduceSum(x!, [0, -1], { keepdims: 0 }),
  },
  {
    op: 'ReduceSum',
    about: 'keepdims',
    shapes: [['S', 3]],
    build: (op, [x]) => op.ReduceSum(x!, [1], { keepdims: 1 }),
  },
  { op: 'ReduceMean', shapes: [['S', 3]], build: (op, [x]) => op.ReduceMean(x!, [-1], { keepdims: 0 }) },
  {
    op: 'ReduceMean',
    about: 'keepdims',
    shapes: [['S', 3, 2]],
    build: (op, [x]) => op.ReduceMean(x!, [1, 2], { keepdims: 1 }),
  },
  {
    op: 'SimplifiedLayerNormalization',
    shapes: [['S', 'T', 5], [5]],
    build: (op, [x, scale]) => op.SimplifiedLayerNormalization(x!, scale!, { axis: -1, epsilon: 0.01 }),
  },
  {
    op: 'MatMul',
    shapes: [
      ['S', 3],
      [3, 'T'],
    ],
    build: (op, [a, b]) => op.MatMul(a!, b!),
  },
  {
    op: 'MatMul',
    about: 'weight shared by a batch',
    shapes: [
      ['S', 2, 3],
      [3, 4],
    ],
    build: (op, [a, b]) => op.MatMul(a!, b!),
  },
  {
    op: 'MatMul',
    about: 'batches',
    shapes: [
      [2, 1, 'S', 3],
      [2, 3, 'T'],
    ],
    build: (op, [a, b]) => op.MatMul(a!, b!),
  },
  {
    op: 'MatMul',
    about: 'broadcast batches',
    shapes: [
      [2, 'S', 3],
      [1, 3, 2],
    ],
    build: (op, [a, b]) => op.MatMul(a!, b!),
  },
  {
    op: 'FusedMatMul',
    shapes: [
      ['S', 3],
      ['T', 3],
    ],
    build: (op, [a, b]) => op.FusedMatMul(a!, b!, { transA: 0, transB: 1 }),
  },
  {
    op: 'FusedMatMul',
    about: 'weight shared by a batch',
    shapes: [
      ['S', 2, 3],
      [4, 3],
    ],
    build: (op, [a, b]) => op.FusedMatMul(a!, b!, { transA: 0, transB: 1 }),
  },
  {
    op: 'FusedMatMul',
    about: 'batches',
    shapes: [
      [2, 2, 'S', 3],
      [2, 2, 'T', 3],
    ],
    build: (op, [a, b]) => op.FusedMatMul(a!, b!, { transA: 0, transB: 1 }),
  },
  {
    op: 'FusedMatMul',
    about: 'nothing transposed',
    shapes: [
      ['S', 2, 3],
      [3, 4],
    ],
    build: (op, [a, b]) => op.FusedMatMul(a!, b!, { transA: 0, transB: 0 }),
  },
  { op: 'Reshape', shapes: [['S', 6]], build: (op, [x]) => op.Reshape(x!, [0, 2, 3]) },
  { op: 'Transpose', shapes: [['S', 3, 4]], build: (op, [x]) => op.Transpose(x!, { perm: [1, 2, 0] }) },
  { op: 'Unsqueeze', shapes: [['S', 3]], build: (op, [x]) => op.Unsqueeze(x!, [0, 2]) },
  { op: 'Squeeze', shapes: [['S', 1, 3]], build: (op, [x]) => op.Squeeze(x!, [1]) },
  {
    op: 'Expand',
    shapes: [['S', 1]],
    build: (op, [x], g) => op.Expand(x!, g.constant([1, 3], 'int64', [2])),
  },
  {
    op: 'Concat',
    shapes: [
      ['S', 3],
      ['T', 3],
    ],
    build: (op, [a, b]) => op.Concat([a!, b!], { axis: 0 }),
  },
  {
    op: 'Concat',
    about: 'last axis, one input twice',
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: (op, [a, b]) => op.Concat([a!, b!, a!], { axis: -1 }),
  },
  {
    op: 'Split',
    shapes: [['S', 5]],
    build: (op, [x]) => {
      const [a, b] = op.Split(x!, [3, 2], { axis: 1 });
      return op.Concat([op.Mul(b!, 3), op.Neg(a!)], { axis: 1 });
    },
  },
  {
    op: 'Split',
    about: 'one part unused',
    shapes: [['S', 5]],
    build: (op, [x]) => op.Exp(op.Split(x!, [3, 2], { axis: 1 })[0]!),
  },
  {
    op: 'GatherElements',
    shapes: [[3, 4]],
    build: (op, [x], g) => op.GatherElements(x!, g.constant([3, 0, 3], 'int64', [3, 1]), { axis: 1 }),
  },
  {
    op: 'RotaryEmbedding',
    shapes: [[1, 2, 3, 4]],
    build: (op, [x], g) => {
      const angles = g.constant([0, 0, 0.3, 1.1, 0.6, 2.2], 'float32', [1, 3, 2]);
      return op.RotaryEmbedding(x!, op.Cos(angles), op.Sin(angles));
    },
  },
];

describe('backward rules agree with finite differences', () => {
  test.each(cases.map((entry) => [`${entry.op} ${entry.about ?? ''}`, entry] as const))(
    '%s',
    async (_name, entry) => {
      const { analytic, numeric } = await differentiateBothWays(entry);
      const largest = Math.max(...numeric.flat().map(Math.abs), 1e-3);
      expect(largest).toBeGreaterThan(1e-3);
      analytic.forEach((gradient, i) => {
        expect(gradient.length).toBe(numeric[i]!.length);
        gradient.forEach((value, j) => {
          expect(Math.abs(value - numeric[i]![j]!) / largest).toBeLessThan(2e-3);
        });
      });
    },
  );

  test('every rule of the table has a case', () => {
    expect([...new Set(cases.map(({ op }) => op))].sort()).toEqual(
      Object.keys(backwardRules).sort() as never,
    );
  });
});

/** Gradients of sum(output * weights) by the driver and by central differences, each as one list per input. */
async function differentiateBothWays(entry: Case) {
  const g = new GraphBuilder();
  const inputs = entry.shapes.map((shape, i) => g.input(`x${i}`, 'float32', shape));
  const y = entry.build(g.op, inputs, g);
  const weights = g.input('weights', 'float32', y.shape);
  const axes = y.shape.map((_, axis) => axis);
  const loss = g.op.ReduceSum(g.op.Mul(y, weights), axes, { keepdims: 0 });
  const gradients = differentiate(g.op, loss, inputs);
  gradients.forEach((gradient, i) => {
    expect(gradient.shape).toEqual(inputs[i]!.shape);
    g.output(`g${i}`, gradient);
  });
  g.output('loss', loss);

  const draw = numbers(7);
  const [low, high] = entry.range ?? [-1, 1];
  const feeds = Object.fromEntries(
    [...inputs, weights].map(({ name, shape }) => {
      const dims = shape.map(sizeOf);
      const data = Float32Array.from({ length: product(dims) }, () => low + (high - low) * draw());
      return [name, { type: 'float32' as const, dims, data, location: 'cpu' as const }];
    }),
  );
  const session = await openSession({ graph: encodeModel(g.build()), weightsDir: '.' });
  try {
    const run = (name: string): Float32Array =>
      Float32Array.from(session.run(feeds, [name])[name]!.data as Float32Array);
    const analytic = inputs.map((_, i) => [...run(`g${i}`)]);
    const numeric = inputs.map(({ name }) => {
      const { data } = feeds[name]!;
      return [...data].map((value, j) => {
        const step = 1e-2;
        data[j] = value + step;
        const above = run('loss')[0]!;
        data[j] = value - step;
        const below = run('loss')[0]!;
        data[j] = value;
        return (above - below) / (2 * step);
      });
    });
    return { analytic, numeric };
  } finally {
    await session.dispose();
  }
}

/** A dim with its symbols replaced, also in sums and products such as `S+T`. */
function sizeOf(dim: Dim): number {
  if (typeof dim === 'number') return dim;
  return dim
    .split('+')
    .map((term) => product(term.split('*').map((factor) => symbols[factor] ?? Number(factor))))
    .reduce((sum, value) => sum + value, 0);
}

function product(factors: readonly number[]): number {
  return factors.reduce((total, factor) => total * factor, 1);
}

/** A small linear congruential generator (Numerical Recipes): values in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
