import { Worker } from 'node:worker_threads';
import { SdfpError } from '../lib/errors.ts';
import { type FromWorker, unpackError } from './protocol.ts';
import { WorkerEngine } from './worker-engine.ts';

/** Starts a worker file that calls `serveEngine`, and waits until its engine is loaded. `data` must be clonable. */
export async function startWorker(file: URL, data: unknown, maxRunning: number): Promise<WorkerEngine> {
  const worker = new Worker(file, { workerData: data });
  const first = await firstMessage(worker);
  if (first.type === 'ready') return new WorkerEngine(worker, first.info, maxRunning);
  await worker.terminate();
  if (first.type === 'failed') throw unpackError(first.error);
  throw new SdfpError('internal', `the engine's worker began with the message ${first.type}, not with ready`);
}

function firstMessage(worker: Worker): Promise<FromWorker> {
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown) => {
      const found = reason instanceof Error ? reason.message : `exit status ${reason}`;
      reject(
        new SdfpError('engine_closed', `cannot load the engine: its worker ended first (${found})`, {
          cause: reason,
        }),
      );
    };
    worker.once('error', fail);
    worker.once('exit', fail);
    worker.once('message', (message: FromWorker) => {
      worker.off('error', fail);
      worker.off('exit', fail);
      resolve(message);
    });
  });
}
