import { describe, expect, test } from 'bun:test';
import type { Engine, EngineLimits } from '../../src/engine/index.ts';
import { isSdfpError } from '../../src/lib/errors.ts';
import { collect, errorOf, requestOf } from '../engine/helpers.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';

/** Opens an engine over a scripted model with a context of 4096 whose steps take `stepMs`. */
export type OpenEngine = (options: EngineLimits & { readonly stepMs?: number }) => Promise<Engine>;

/** What every implementation of Engine must do. The caller disposes of nothing: each test does. */
export function describeEngine(name: string, open: OpenEngine): void {
  const reference = new ScriptedModel({ maxContextTokens: 4096 });
  const withEngine = async (options: Parameters<OpenEngine>[0], use: (engine: Engine) => Promise<void>) => {
    const engine = await open(options);
    try {
      await use(engine);
    } finally {
      await engine.dispose();
    }
  };
  const endless = { maxTokens: 4000, speculation: { enabled: false } };

  describe(`Engine: ${name}`, () => {
    test('tells what it is', async () => {
      await withEngine({}, async (engine) => {
        expect(engine.info).toEqual({
          provider: 'scripted',
          vocabSize: 32,
          maxContextTokens: 4096,
          hasDraft: true,
        });
        expect(engine.load()).toEqual({ running: 0, waiting: 0 });
      });
    });

    test('generates, with speculation and without, and counts', async () => {
      await withEngine({}, async (engine) => {
        for (const speculation of [{ enabled: false }, { draftLength: 4 }, {}]) {
          const run = await collect(engine, requestOf({ speculation }));
          expect(run.ids).toEqual(reference.greedy([1, 2, 3], 16));
          expect(run.done.stats.generatedTokens).toBe(16);
        }
        expect(engine.load()).toEqual({ running: 0, waiting: 0 });
      });
    });

    test('logprobs, prompt logprobs and logit bias arrive', async () => {
      await withEngine({}, async (engine) => {
        const sampling = { logitBias: new Map([[9, 100]]) };
        const run = await collect(engine, requestOf({ topLogprobs: 2, promptLogprobs: true, sampling }));
        expect(run.prompt!.logprobs.map((entry) => entry === null)).toEqual([true, false, false]);
        expect(run.logprobs).toHaveLength(16);
        expect(new Set(run.ids)).toEqual(new Set([9]));
      });
    });

    test('errors keep their code and field', async () => {
      await withEngine({}, async (engine) => {
        const bad = await errorOf(collect(engine, requestOf({ sampling: { topP: 2 } })));
        expect(isSdfpError(bad, 'invalid_request') && bad.param).toBe('topP');
        const long = await errorOf(
          collect(engine, requestOf({ promptIds: new Array<number>(5000).fill(1) })),
        );
        expect(isSdfpError(long, 'context_length_exceeded') && long.message).toContain('5000');
        expect(engine.load()).toEqual({ running: 0, waiting: 0 });
      });
    });

    test('refuses more than it may hold, at once, and takes requests again later', async () => {
      await withEngine({ maxRunning: 1, maxWaiting: 2, stepMs: 1 }, async (engine) => {
        const stop = new AbortController();
        const held = [1, 2, 3].map(() => errorOf(collect(engine, requestOf(endless), stop.signal)));
        expect(isSdfpError(await errorOf(collect(engine, requestOf())), 'engine_busy')).toBe(true);
        expect(engine.load()).toEqual({ running: 1, waiting: 2 });
        stop.abort();
        await Promise.all(held);
        expect((await collect(engine, requestOf())).ids).toHaveLength(16);
      });
    });

    test('aborting ends a generation with the reason, running, waiting or not begun', async () => {
      await withEngine({ maxRunning: 1, stepMs: 1 }, async (engine) => {
        const [running, waiting, early] = [
          new AbortController(),
          new AbortController(),
          new AbortController(),
        ];
        const runs = [running, waiting].map(({ signal }) =>
          errorOf(collect(engine, requestOf(endless), signal)),
        );
        await Bun.sleep(20);
        waiting.abort('second');
        expect(await runs[1]!).toBe('second');
        expect(engine.load()).toEqual({ running: 1, waiting: 0 });
        running.abort();
        expect(await runs[0]).toMatchObject({ name: 'AbortError' });
        early.abort('too early');
        expect(await errorOf(collect(engine, requestOf(), early.signal))).toBe('too early');
        expect(engine.load()).toEqual({ running: 0, waiting: 0 });
      });
    });

    test('leaving the iteration frees the place', async () => {
      await withEngine({ maxRunning: 1, maxWaiting: 0, stepMs: 1 }, async (engine) => {
        for await (const event of engine.generate(requestOf(endless))) if (event.type === 'tokens') break;
        expect(engine.load()).toEqual({ running: 0, waiting: 0 });
        expect((await collect(engine, requestOf())).ids).toHaveLength(16);
      });
    });

    test('a short request that comes during a long one finishes long before it', async () => {
      await withEngine({ stepMs: 0.5 }, async (engine) => {
        let isLongDone = false;
        const long = collect(engine, requestOf({ ...endless, maxTokens: 800 })).then(() => {
          isLongDone = true;
        });
        await Bun.sleep(30);
        const started = performance.now();
        await collect(engine, requestOf({ maxTokens: 10 }));
        const shortMs = performance.now() - started;
        expect(isLongDone).toBe(false);
        expect(shortMs).toBeLessThan(200); // about 20 turns of half a millisecond
        await long;
      });
    });

    test('a consumer that does not read stalls nobody', async () => {
      await withEngine({ maxRunning: 2, stepMs: 0.2 }, async (engine) => {
        const lazy = engine.generate(requestOf({ maxTokens: 300 }))[Symbol.asyncIterator]();
        await lazy.next();
        expect((await collect(engine, requestOf())).ids).toHaveLength(16);
        const left: number[] = [];
        for (let step = await lazy.next(); step.done !== true; step = await lazy.next()) {
          if (step.value.type === 'tokens') left.push(...step.value.ids);
        }
        expect(left.at(-1)).toBe(reference.greedy([1, 2, 3], 300).at(-1)!);
      });
    });

    test('dispose ends live and later generations with engine_closed, and may be called twice', async () => {
      const engine = await open({ maxRunning: 1, stepMs: 1 });
      const live = [1, 2].map(() => errorOf(collect(engine, requestOf(endless))));
      await Bun.sleep(10);
      await Promise.all([engine.dispose(), engine.dispose()]);
      for (const error of await Promise.all(live)) expect(isSdfpError(error, 'engine_closed')).toBe(true);
      expect(isSdfpError(await errorOf(collect(engine, requestOf())), 'engine_closed')).toBe(true);
      await engine.dispose();
    });
  });
}
