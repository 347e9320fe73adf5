import { startWorker } from '../../src/worker/start-worker.ts';
import type { EngineWorker } from '../../src/worker/worker-engine.ts';
import type { ScriptedWorkerData } from './scripted-worker.ts';

/** An engine over a scripted model in a worker. */
export function openScriptedWorker(data: ScriptedWorkerData): Promise<EngineWorker> {
  return startWorker(new URL('./scripted-worker.ts', import.meta.url), data, data.maxRunning ?? 16);
}
