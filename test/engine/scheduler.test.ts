import { describe, expect, test } from 'bun:test';
import { countRunning } from '../../src/engine/fair-share.ts';
import { SdfpError } from '../../src/lib/errors.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { busyFor } from './busy.ts';
import { collect, errorOf, requestOf, scriptedEngine } from './helpers.ts';

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

  test('a place that cannot be remembered is given back all the same, and nobody else is disturbed', async () => {
    for (const error of [new RangeError('Array buffer allocation failed'), new Error('broken')]) {
      const model = new ScriptedModel({ maxContextTokens: 5000 });
      model.snapshotError = error;
      const engine = scriptedEngine(model);
      const stop = new AbortController();
      const cancelled = errorOf(collect(engine, requestOf({ maxTokens: 4000 }), stop.signal));
      const other = collect(engine, requestOf({ maxTokens: 300, promptIds: [5, 6] }));
      while (model.steps.length < 40) await Bun.sleep(0);
      stop.abort();
      await cancelled;
      expect((await other).ids).toHaveLength(300);
      expect(engine.load()).toEqual({ running: 0, waiting: 0 });
      expect(model.openSequences).toBe(0);
    }
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

  describe('groups', () => {
    /** Twelve generations of one request, and one of another that comes a little later. */
    async function rivals(maxRunning: number) {
      const model = new ScriptedModel({ onStep: () => busyFor(0.2) });
      const engine = scriptedEngine(model, { maxRunning });
      const finished: string[] = [];
      const run = (name: string, group: string) =>
        collect(engine, requestOf({ maxTokens: 30, speculation: { enabled: false }, group })).then(() =>
          finished.push(name),
        );
      const many = Array.from({ length: 12 }, () => run('many', 'a'));
      await Bun.sleep(3);
      const load = engine.load();
      await Promise.all([...many, run('single', 'b')]);
      expect(engine.load()).toEqual({ running: 0, waiting: 0 });
      return { load, place: finished.indexOf('single') };
    }

    test('a request of many generations leaves a quarter of the places free, and a single one waits for none of them', async () => {
      const { load, place } = await rivals(8);
      expect(load).toEqual({ running: 6, waiting: 6 });
      // Only those that ran when it came may end before it.
      expect(place).toBeLessThanOrEqual(6);
    });

    test('with one place it comes after the generation that runs, not after all', async () => {
      const { load, place } = await rivals(1);
      expect(load).toEqual({ running: 1, waiting: 11 });
      expect(place).toBeLessThan(3);
    });

    test('countRunning() tells the same from outside', () => {
      const many = Array.from({ length: 12 }, () => 'a');
      expect(countRunning(many, 8)).toBe(6);
      expect(countRunning([...many, 'b', undefined], 8)).toBe(8);
      expect(countRunning([...many, ...Array.from({ length: 9 }, () => undefined)], 8)).toBe(8);
      expect(countRunning(many, 1)).toBe(1);
    });
  });

  test('a warm-up teaches the engine nothing', async () => {
    const learnt = async (isWarmUp: boolean): Promise<boolean> => {
      const engine = scriptedEngine(new ScriptedModel({ onStep: () => busyFor(3) }));
      const before = engine.stepCosts();
      for (const draftLength of [0, 2])
        await collect(engine, requestOf({ speculation: { draftLength }, isWarmUp }));
      return !Bun.deepEquals(engine.stepCosts(), before);
    };
    expect([await learnt(false), await learnt(true)]).toEqual([true, false]);
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
