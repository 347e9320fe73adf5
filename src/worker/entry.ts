import { parentPort, workerData } from 'node:worker_threads';
import { createEngine, type EngineOptions } from '../engine/index.ts';
import { serveEngine } from './serve-engine.ts';

if (parentPort === null) throw new TypeError('src/worker/entry.ts runs in a worker, not by itself');
const options: EngineOptions = workerData;
await serveEngine(parentPort, () => createEngine(options));
