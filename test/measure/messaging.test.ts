import { describe, expect, test } from 'bun:test';
import { DEFAULT_SAMPLING, DEFAULT_SPECULATION } from '../../src/engine/index.ts';
import { measureMessaging, type ProfiledEngine } from '../../src/measure/messaging.ts';
import { timeGeneration } from '../../src/measure/speed.ts';
import { withSignal } from '../../src/measure/with-signal.ts';
import { createScriptedEngine, type ScriptedEngine } from '../fakes/scripted-engine.ts';

/** Rounds of 10 ms as the caller sees them, of which the engine says that `turnMs` were its own. */
function profiled(engine: ScriptedEngine, turnMs: number): ProfiledEngine {
  return { ...engine, profile: async () => ({ turnMs: turnMs * engine.rounds() }) };
}

const options = {
  prompts: [
    [1, 2, 3],
    [4, 5],
  ],
  tokens: 15,
  speculation: DEFAULT_SPECULATION,
};

describe('measureMessaging()', () => {
  test('is the share of the time that is in no round', async () => {
    const engine = createScriptedEngine({ roundMs: 10 });
    // A pause of 10 ms takes 10 to 13 ms, so of it and of 5 ms follow .5 to .65.
    const share = await measureMessaging({ ...options, engine: profiled(engine, 5) });
    expect(share).toBeGreaterThan(0.45);
    expect(share).toBeLessThan(0.75);
  });

  test('is never below 0, and runs the first prompt once more, uncounted', async () => {
    const engine = createScriptedEngine({ roundMs: 1 });
    expect(await measureMessaging({ ...options, engine: profiled(engine, 1000) })).toBe(0);
    expect(engine.requests.map(({ promptIds }) => promptIds)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [4, 5],
    ]);
  });

  test('an abort ends it in the middle of a generation', async () => {
    const engine = createScriptedEngine({ roundMs: 20 });
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 30);
    const running = measureMessaging({
      ...options,
      tokens: 3000,
      engine: profiled(engine, 1),
      signal: controller.signal,
    });
    await expect(running).rejects.toBe(reason);
    expect(engine.ended()).toBe(1);
    expect(engine.rounds()).toBeLessThan(10);
  });
});

describe('withSignal()', () => {
  const request = {
    promptIds: [1],
    maxTokens: 3000,
    sampling: DEFAULT_SAMPLING,
    speculation: DEFAULT_SPECULATION,
    stopTokenIds: [],
    topLogprobs: undefined,
  };

  test('hands its signal to every generation, and heeds the own one of each', async () => {
    for (const isOwn of [false, true]) {
      const engine = createScriptedEngine({ roundMs: 20 });
      const [outer, own] = [new AbortController(), new AbortController()];
      const reason = new Error('enough');
      setTimeout(() => (isOwn ? own : outer).abort(reason), 30);
      const generation = withSignal(engine, outer.signal).generate(request, own.signal);
      await expect(Array.fromAsync(generation)).rejects.toBe(reason);
      expect(engine.ended()).toBe(1);
    }
  });

  test('ends a measurement without a signal of its own', async () => {
    const engine = createScriptedEngine({ roundMs: 20 });
    const running = timeGeneration(withSignal(engine, AbortSignal.timeout(30)), request);
    await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(withSignal(engine, undefined)).toBe(engine);
  });
});
