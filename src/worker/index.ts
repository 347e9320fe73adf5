import { DEFAULT_MAX_RUNNING, type EngineOptions } from '../engine/index.ts';
import { startWorker } from './start-worker.ts';
import type { EngineWorker } from './worker-engine.ts';

export type { EngineWorker } from './worker-engine.ts';

/**
 * Loads a model into a thread of its own, so that this thread stays free while sessions run. Throws what loading threw.
 * If the worker ends unexpectedly, live and later generations end with `engine_closed`.
 */
export function startEngineWorker(options: EngineOptions): Promise<EngineWorker> {
  // The files run as they are (Bun, Deno, Node through a loader that boot.mjs brings) or compiled.
  const file = import.meta.url.endsWith('.ts') ? './boot.mjs' : './entry.js';
  return startWorker(new URL(file, import.meta.url), options, options.maxRunning ?? DEFAULT_MAX_RUNNING);
}
