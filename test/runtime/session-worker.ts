import { parentPort, workerData } from 'node:worker_threads';
import { floatTensor, openSession } from '../../src/runtime/index.ts';

const session = await openSession(workerData);
const { y } = session.run({ x: floatTensor(Float32Array.of(2, 2, 2), [1, 3]) }, ['y']);
session.dispose();
parentPort?.postMessage(Array.from(y!.data, Number));
