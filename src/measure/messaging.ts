import type { Engine, EngineProfile, SpeculationParams } from '../engine/index.ts';
import { measuredRequest } from './requests.ts';
import { timeGeneration } from './speed.ts';
import { withSignal } from './with-signal.ts';

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
  const { prompts, tokens, speculation, signal } = options;
  const engine = withSignal(options.engine, signal);
  const requests = prompts.map((promptIds, seed) =>
    measuredRequest({ promptIds, tokens, temperature: 0, seed, speculation }),
  );
  // The first generation allocates and compiles, on both sides.
  for (const request of requests.slice(0, 1)) await timeGeneration(engine, request);
  const before = await options.engine.profile();
  let totalMs = 0;
  for (const request of requests) totalMs += (await timeGeneration(engine, request)).ms;
  const after = await options.engine.profile();
  return totalMs === 0 ? 0 : Math.max(0, 1 - (after.turnMs - before.turnMs) / totalMs);
}
