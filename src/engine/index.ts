import { readFile } from 'node:fs/promises';
import { SdfpError } from '../lib/errors.ts';
import { type LocalEngine, ModelEngine } from './engine.ts';
import type { EngineOptions } from './options.ts';
import { Profiler } from './profiler.ts';
import { openSessionModel } from './session-model.ts';

export {
  DEFAULT_MAX_RUNNING,
  DEFAULT_MAX_WAITING,
  DEFAULT_SAMPLING,
  DEFAULT_SPECULATION,
  MAX_CHOSEN_DRAFT_LENGTH,
  MAX_DRAFT_LENGTH,
  MAX_TOP_LOGPROBS,
} from './defaults.ts';
export { type LocalEngine, ModelEngine } from './engine.ts';
export { countRunning } from './fair-share.ts';
export type { MeasureStepsOptions } from './measure-steps.ts';
export type { EngineLimits, EngineOptions } from './options.ts';
export type { EngineProfile, RunProfile } from './profiler.ts';
export type * from './types.ts';

/** Loads a model into this thread. Sessions block their thread while they run: servers use `src/worker` instead. */
export async function createEngine(options: EngineOptions): Promise<LocalEngine> {
  const graph = options.graph instanceof Uint8Array ? options.graph : await readGraph(options.graph.path);
  const profiler = new Profiler();
  const model = await openSessionModel({ ...options, graph }, profiler);
  try {
    return new ModelEngine(model, profiler, options);
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

async function readGraph(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new SdfpError('artifact_unreadable', `cannot read the graph ${path}; the artifact is incomplete`, {
      cause,
    });
  }
}
