import { describe, expect, test } from 'bun:test';
import { SdfpError } from '../../src/lib/errors.ts';
import {
  createApp,
  createModelHost,
  type LoadedModel,
  type ServedModel,
  supervise,
} from '../../src/server/index.ts';
import { createByteCodec } from '../fakes/byte-codec.ts';
import { openScriptedWorker } from '../fakes/open-scripted-worker.ts';
import { createScriptedEngine } from '../fakes/scripted-engine.ts';

const GENERATION = {
  bosTokenId: undefined,
  eosTokenIds: [],
  temperature: 0,
  topP: undefined,
  topK: undefined,
  repetitionPenalty: undefined,
};

function serveOf(engine: ServedModel['engine']): ServedModel {
  return { id: 'm', engine, text: createByteCodec(), createdSeconds: 0, defaults: GENERATION };
}

/** A model that crashes when it is told to. */
function fakeModel(): LoadedModel & { crash(): void; readonly isDisposed: () => boolean } {
  let crash = (): void => {};
  let isDisposed = false;
  const crashed = new Promise<Error>((resolve) => {
    crash = () => resolve(new Error('boom'));
  });
  return {
    served: serveOf(createScriptedEngine()),
    crashed,
    crash,
    isDisposed: () => isDisposed,
    [Symbol.asyncDispose]: async () => {
      isDisposed = true;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 400) throw new Error('It never came.');
    await Bun.sleep(5);
  }
}

/** A supervised host whose models come from `load`. */
function start(load: () => Promise<LoadedModel>, firstDelayMs = 1) {
  const host = createModelHost();
  const stop = new AbortController();
  const notes: string[] = [];
  let drains = 0;
  const drain = async (): Promise<void> => {
    drains++;
    host.drain();
  };
  const note = (line: string): void => void notes.push(line);
  const done = supervise({ host, load, drain, note, signal: stop.signal, firstDelayMs });
  done.catch(() => {});
  return { host, stop, notes, done, drains: () => drains };
}

describe('supervise()', () => {
  test('a worker that crashes: its stream gets an error, health tells, the next one answers', async () => {
    let loads = 0;
    const load = async (): Promise<LoadedModel> => {
      const engine = await openScriptedWorker(loads++ === 0 ? { crashAtStep: 20, stepMs: 1 } : {});
      const crashed = new Promise<Error>((resolve) => engine.onExit((error) => error && resolve(error)));
      return { served: serveOf(engine), crashed, [Symbol.asyncDispose]: () => engine.dispose() };
    };
    const { host, stop, done, drains } = start(load, 150);
    const app = createApp({ host });
    const ask = (body: object) =>
      app.request('/v1/completions', {
        method: 'POST',
        body: JSON.stringify({ prompt: [1, 2, 3], ...body }),
      });
    const stream = await ask({ max_tokens: 1000, stream: true, speculative: { enabled: false } });
    const text = await stream.text();
    expect(text).toContain('"finish_reason":null');
    expect(text).toEndWith('"code":"engine_closed"}}\n\n');
    expect(text).toContain('event: error\n');
    await until(() => host.state === 'restarting');
    const health = await app.request('/health');
    expect([health.status, (await health.json()).state]).toEqual([503, 'restarting']);
    expect((await app.request('/ping')).status).toBe(204);
    // It waits for the new engine.
    const answer = await ask({ max_tokens: 5 });
    expect([answer.status, (await answer.json()).usage.completion_tokens]).toEqual([200, 5]);
    expect((await app.request('/health')).status).toBe(200);
    expect(loads).toBe(2);
    stop.abort();
    await done;
    expect(drains()).toBe(1);
    expect((await ask({})).status).toBe(503);
  });

  test('crashes in a row: later each time, then an error; every model is released', async () => {
    const models: ReturnType<typeof fakeModel>[] = [];
    const { done, notes } = start(async () => {
      const model = fakeModel();
      models.push(model);
      setTimeout(() => model.crash(), 1);
      return model;
    });
    await expect(done).rejects.toMatchObject({ code: 'engine_closed' });
    expect(models).toHaveLength(6);
    expect(models.every((model) => model.isDisposed())).toBe(true);
    const delays = notes.flatMap((line) => /in (\d+) ms/.exec(line)?.[1] ?? []);
    expect(delays).toEqual(['1', '2', '4', '8', '16']);
  });

  test('a model that does not come back counts too', async () => {
    const first = fakeModel();
    let loads = 0;
    const { done, host } = start(async () => {
      if (loads++ === 0) return first;
      throw new SdfpError('artifact_unreadable', 'gone');
    });
    await until(() => host.state === 'ready');
    first.crash();
    await expect(done).rejects.toMatchObject({
      code: 'engine_closed',
      cause: { code: 'artifact_unreadable' },
    });
    expect(loads).toBe(6);
  });

  test('the first model that cannot be loaded is an error at once', async () => {
    const { done } = start(async () => {
      throw new SdfpError('artifact_mismatch', 'no');
    });
    await expect(done).rejects.toMatchObject({ code: 'artifact_mismatch' });
  });

  test('stops between crash and restart', async () => {
    const first = fakeModel();
    const { stop, done, host } = start(async () => first, 10_000);
    await until(() => host.state === 'ready');
    first.crash();
    await until(() => host.state === 'restarting');
    stop.abort();
    await done;
    expect(host.state).toBe('draining');
  });

  test('stops at once while it loads: health tells, waiting requests are refused, a late model is released', async () => {
    const late = fakeModel();
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { stop, done, host, drains } = start(async () => {
      await arrived;
      return late;
    });
    const waiting = host.whenReady();
    stop.abort();
    await done;
    expect([host.state, drains(), late.isDisposed()]).toEqual(['draining', 1, false]);
    await expect(waiting).rejects.toMatchObject({ code: 'engine_closed' });
    arrive();
    await until(late.isDisposed);
  });
});
