import { readdirSync } from 'node:fs';
import { encodeModel, GraphBuilder } from '../../src/onnx/index.ts';
import { openSession } from '../../src/runtime/index.ts';

/** Prints how many threads a session opened without a thread count starts, by /proc. */
const g = new GraphBuilder();
g.output('y', g.op.Neg(g.input('x', 'float32', ['N'])));
const graph = encodeModel(g.build());
// The least of some sessions: the library and the JavaScript runtime start threads of their own meanwhile.
const started: number[] = [];
for (let i = 0; i < 4; i++) {
  const before = countThreads();
  const session = await openSession({ graph, weightsDir: '.' });
  started.push(countThreads() - before);
  session.dispose();
}
process.stdout.write(`${Math.min(...started)}`);

function countThreads(): number {
  return readdirSync('/proc/self/task').length;
}
