import { parentPort, workerData } from 'node:worker_threads';
import type { EngineLimits } from '../../src/engine/index.ts';
import { SdfpError } from '../../src/lib/errors.ts';
import { serveEngine } from '../../src/worker/serve-engine.ts';
import { scriptedEngine } from '../engine/helpers.ts';
import { ScriptedModel } from './scripted-model.ts';

/** What a test asks of this worker. */
export interface ScriptedWorkerData extends EngineLimits {
  readonly fails?: boolean;
  /** The thread dies at this step. */
  readonly crashAtStep?: number;
  /** Busy time of each step. */
  readonly stepMs?: number;
}

const data: ScriptedWorkerData = workerData;
let steps = 0;

await serveEngine(parentPort!, async () => {
  if (data.fails === true)
    throw new SdfpError('artifact_mismatch', 'the file is not the one', { param: 'graph' });
  const model = new ScriptedModel({
    agrees: (position) => position % 4 !== 3,
    maxContextTokens: 4096,
    onStep: () => {
      steps++;
      if (steps === data.crashAtStep) setTimeout(() => process.exit(3)); // outside the engine, as a native crash would be
      const end = performance.now() + (data.stepMs ?? 0);
      while (performance.now() < end);
    },
  });
  return scriptedEngine(model, data);
});
