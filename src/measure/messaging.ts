import {
  DEFAULT_SAMPLING,
  type Engine,
  type EngineProfile,
  type GenerateRequest,
  type SpeculationParams,
} from '../engine/index.ts';
import { abortable } from './abortable.ts';
import { timeGeneration } from './speed.ts';

/** An engine in a thread of its own, which says how long its rounds took. */
export interface ProfiledEngine extends Engine {
  profile(): Promise<Pick<EngineProfile, 'turnMs'>>;
}

/** What is run. */
export interface MessagingOptions {
  readonly engine: ProfiledEngine;
  readonly prompts: readonly (readonly number[])[];
  readonly tokens: number;
  readonly speculation: SpeculationParams;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Share of the time of a generation, as the thread that asked for it sees it, in which the engine's thread is in none of
 * its rounds: messages both ways, waking of either thread, the event loops between rounds. 0..1
 */
export async function measureMessaging(options: MessagingOptions): Promise<number> {
  const { prompts, signal } = options;
  const engine = abortable(options.engine, signal);
  const requests = prompts.map((promptIds, seed) => requestOf(promptIds, seed, options));
  // The first generation allocates and compiles, on both sides.
  for (const request of requests.slice(0, 1)) await timeGeneration(engine, request);
  const before = await options.engine.profile();
  let totalMs = 0;
  for (const request of requests) totalMs += (await timeGeneration(engine, request)).ms;
  const after = await options.engine.profile();
  return totalMs === 0 ? 0 : Math.max(0, 1 - (after.turnMs - before.turnMs) / totalMs);
}

function requestOf(
  promptIds: readonly number[],
  seed: number,
  { tokens, speculation }: MessagingOptions,
): GenerateRequest {
  const sampling = { ...DEFAULT_SAMPLING, temperature: 0, seed };
  return { promptIds, maxTokens: tokens, sampling, speculation, stopTokenIds: [], topLogprobs: undefined };
}
