/**
 * One product x W^T of 1 to 8 rows by each kernel, W [N, K]: `bun test/bench/products.ts [N] [K] [THREADS]`. Microseconds,
 * the least of all runs. A few seconds; ends with a line of JSON.
 */
import { describeMachine } from '../../src/measure/machine.ts';
import { type Dtype, encodeModel, GraphBuilder, type Value } from '../../src/onnx/index.ts';
import { floatTensor, openSession } from '../../src/runtime/index.ts';

const ROWS = [1, 2, 4, 8];
const BLOCK = 32;
/** For each number of rows. */
const BUDGET_MS = 300;

const [N = 1024, K = 4096, threads = 2] = process.argv.slice(2).map(Number);
type Kernel = (g: GraphBuilder, x: Value) => Value;
const kernels: readonly (readonly [name: string, kernel: Kernel])[] = [
  ['float32', multiplyPlain],
  ['4 bits, activations of float32', (g, x) => multiplyRounded(g, x, 4, 1)],
  ['4 bits, activations of 8 bits', (g, x) => multiplyRounded(g, x, 4, 4)],
  ['8 bits, activations of float32', (g, x) => multiplyRounded(g, x, 8, 1)],
  ['8 bits, activations of 8 bits', (g, x) => multiplyRounded(g, x, 8, 4)],
];

const rows: { kernel: string; us: number[] }[] = [];
for (const [kernel, multiply] of kernels) {
  const g = new GraphBuilder();
  g.output('y', multiply(g, g.input('x', 'float32', ['M', K])));
  const session = await openSession({ graph: encodeModel(g.build()), weightsDir: '.', threads });
  const us = ROWS.map((count) => {
    const feeds = { x: floatTensor(new Float32Array(count * K).fill(0.5), [count, K]) };
    return 1000 * leastMs(() => session.run(feeds, ['y']));
  });
  session.dispose();
  rows.push({ kernel, us });
  console.log(`${kernel.padEnd(32)}${us.map((value) => value.toFixed(0).padStart(8)).join('')}`);
}
console.log(JSON.stringify({ machine: describeMachine(), N, K, threads, rows }));

function leastMs(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + BUDGET_MS; performance.now() < end; ) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

function multiplyPlain(g: GraphBuilder, x: Value): Value {
  const weights = inline(g, 'weights', 'float32', [N, K], new Float32Array(N * K).fill(0.01));
  return g.op.FusedMatMul(x, weights, { transA: 0, transB: 1 });
}

function multiplyRounded(g: GraphBuilder, x: Value, bits: number, accuracyLevel: number): Value {
  const [blocks, blockBytes] = [K / BLOCK, (BLOCK * bits) / 8];
  const packed = new Uint8Array(N * blocks * blockBytes).fill(0x9a);
  const scales = new Float32Array(N * blocks).fill(0.01);
  return g.op.MatMulNBits(
    x,
    inline(g, 'packed', 'uint8', [N, blocks, blockBytes], packed),
    inline(g, 'scales', 'float32', [N, blocks], scales),
    { K, N, bits, block_size: BLOCK, accuracy_level: accuracyLevel },
  );
}

function inline(
  g: GraphBuilder,
  name: string,
  dtype: Dtype,
  shape: readonly number[],
  { buffer }: Float32Array | Uint8Array,
): Value {
  return g.initializer(name, dtype, shape, { kind: 'inline', bytes: new Uint8Array(buffer) });
}
