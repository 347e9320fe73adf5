import { describe, expect, test } from 'bun:test';
import { differentiate } from '../../src/graph/backward.ts';
import { GraphBuilder } from '../../src/onnx/index.ts';

describe('differentiate()', () => {
  test('names operator and node where a rule is missing', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [4]);
    const y = g.scope('layers.0.mlp', () => g.op.Slice(x, [0], [2], [0]));
    const loss = g.op.ReduceSum(y, [0], { keepdims: 0 });
    expect(() => differentiate(g.op, loss, [x])).toThrow(
      /no backward rule for Slice \(node layers\.0\.mlp\.Slice\)/,
    );
  });

  test('names the value that the loss does not depend on', () => {
    const g = new GraphBuilder();
    const [x, other] = [g.input('x', 'float32', [4]), g.input('other', 'float32', [4])];
    const loss = g.op.ReduceSum(x, [0], { keepdims: 0 });
    expect(() => differentiate(g.op, loss, [other])).toThrow(/does not depend on other/);
  });

  test('makes no node for inputs that lead to no wanted value', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['S', 4]);
    const w = g.input('w', 'float32', [4, 4]);
    const loss = g.op.ReduceSum(g.op.MatMul(g.op.MatMul(x, w), w), [0, 1], { keepdims: 0 });
    const before = g.build().nodes.length;
    differentiate(g.op, loss, [x]);
    const ops = g
      .build()
      .nodes.slice(before)
      .map(({ op }) => op);
    expect(ops.filter((op) => op === 'FusedMatMul')).toHaveLength(2);
  });

  test('gives the gradient of values between input and loss', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['S', 4]);
    const middle = g.op.Exp(x);
    const loss = g.op.ReduceSum(g.op.Mul(middle, middle), [0, 1], { keepdims: 0 });
    const [ofMiddle, ofX] = differentiate(g.op, loss, [middle, x]);
    expect(ofMiddle!.shape).toEqual(['S', 4]);
    expect(ofX!.shape).toEqual(['S', 4]);
  });
});
