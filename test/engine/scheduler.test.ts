import { describe, expect, test } from 'bun:test';
import { SdfpError } from '../../src/lib/errors.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { collect, errorOf, requestOf, scriptedEngine } from './helpers.ts';

function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('Scheduler', () => {
  test('a cancelled request is freed within one round', async () => {
    const model = new ScriptedModel({ maxContextTokens: 5000 });
    const engine = scriptedEngine(model);
    const stop = new AbortController();
    const run = errorOf(
      collect(engine, requestOf({ maxTokens: 4000, speculation: { draftLength: 3 } }), stop.signal),
    );
    while (model.steps.length < 40) await Bun.sleep(0);
    stop.abort();
    const stepsAtAbort = model.steps.length;
    expect(engine.load()).toEqual({ running: 0, waiting: 0 });
    expect(model.openSequences).toBe(0);
    await run;
    await Bun.sleep(5);
    expect(model.steps.length).toBe(stepsAtAbort);
  });

  test('shares the time, not the turns: a costly request does not slow a cheap one down to its pace', async () => {
    const model = new ScriptedModel({
      maxContextTokens: 5000,
      onStep: (_, width) => busyFor(width > 100 ? 8 : 0.3),
    });
    const engine = scriptedEngine(model);
    const finished: string[] = [];
    const track = (name: string, promise: Promise<unknown>) => promise.then(() => finished.push(name));
    const longPrompt = requestOf({ promptIds: new Array<number>(3000).fill(4), maxTokens: 1 });
    const short = requestOf({ maxTokens: 60, speculation: { enabled: false } });
    await Promise.all([track('long', collect(engine, longPrompt)), track('short', collect(engine, short))]);
    expect(finished).toEqual(['short', 'long']); // 60 x 0.3 ms against 24 x 8 ms
  });

  test('requests of equal length finish side by side', async () => {
    const model = new ScriptedModel({ onStep: () => busyFor(0.3) });
    const engine = scriptedEngine(model);
    const emitted: number[] = [];
    const read = async (who: number) => {
      for await (const event of engine.generate(
        requestOf({ maxTokens: 50, speculation: { enabled: false } }),
      )) {
        if (event.type === 'tokens') emitted.push(who);
      }
    };
    await Promise.all([read(0), read(1), read(2)]);
    const half = emitted.slice(0, 75);
    for (const who of [0, 1, 2]) expect(half.filter((one) => one === who).length).toBeGreaterThan(15);
  });

  test('a failing step ends its own request only', async () => {
    let isFailing = false;
    const model = new ScriptedModel({
      maxContextTokens: 5000,
      onStep: (_, width) => {
        if (isFailing && width === 5) throw new SdfpError('runtime_failed', 'out of memory');
      },
    });
    const engine = scriptedEngine(model);
    isFailing = true;
    const five = requestOf({ promptIds: [1, 2, 3, 4, 5] });
    const [good, bad] = await Promise.all([
      collect(engine, requestOf({ speculation: { enabled: false } })),
      errorOf(collect(engine, five)),
    ]);
    expect(good.ids).toHaveLength(16);
    expect(bad).toMatchObject({ code: 'runtime_failed' });
    expect(model.openSequences).toBe(0);
  });

  test('1000 requests, some cancelled, leave no sequence open and the load at zero', async () => {
    const model = new ScriptedModel();
    const engine = scriptedEngine(model, { maxRunning: 4, maxWaiting: 2000 });
    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const stop = new AbortController();
        const run = collect(engine, requestOf({ maxTokens: 5, sampling: { seed: i } }), stop.signal);
        if (i % 3 === 0) stop.abort();
        return run.then(
          () => 'done',
          () => 'aborted',
        );
      }),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(666);
    expect(model.openSequences).toBe(0);
    expect(model.openedSequences).toBeLessThanOrEqual(1000);
    expect(engine.load()).toEqual({ running: 0, waiting: 0 });
  });

  test('reports the time in the queue', async () => {
    const engine = scriptedEngine(new ScriptedModel({ onStep: () => busyFor(1) }), { maxRunning: 1 });
    const request = requestOf({ maxTokens: 20, speculation: { enabled: false } });
    const [first, second] = await Promise.all([collect(engine, request), collect(engine, request)]);
    expect(first.done.stats.queueMs).toBeLessThan(10);
    expect(second.done.stats.queueMs).toBeGreaterThan(15);
    expect(second.done.stats.decodeMs).toBeGreaterThan(15);
  });
});
