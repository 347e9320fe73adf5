import { describe, expect, test } from 'bun:test';
import { isSdfpError, SdfpError } from '../../src/lib/errors.ts';
import { startEngineWorker } from '../../src/worker/index.ts';
import { packError, unpackError } from '../../src/worker/protocol.ts';
import { collect, errorOf, requestOf } from '../engine/helpers.ts';
import { openScriptedWorker } from '../fakes/open-scripted-worker.ts';

describe('WorkerEngine', () => {
  test('a worker that crashes ends live, waiting and later generations with engine_closed', async () => {
    const engine = await openScriptedWorker({ maxRunning: 1, crashAtStep: 20, stepMs: 1 });
    const exited = new Promise((resolve) => engine.onExit(resolve));
    const long = requestOf({ maxTokens: 1000, speculation: { enabled: false } });
    const errors = await Promise.all([1, 2].map(() => errorOf(collect(engine, long))));
    for (const error of errors) expect(isSdfpError(error, 'engine_closed')).toBe(true);
    expect(isSdfpError(await exited, 'engine_closed')).toBe(true);
    expect(isSdfpError(await errorOf(collect(engine, long)), 'engine_closed')).toBe(true);
    expect(engine.load()).toEqual({ running: 0, waiting: 0 });
    await engine.dispose();
  });

  test('onExit has no error after dispose', async () => {
    const engine = await openScriptedWorker({});
    const exited = new Promise((resolve) => engine.onExit(resolve));
    await engine.dispose();
    expect(await exited).toBeUndefined();
  });

  test('an engine that cannot be loaded rejects with its own error', async () => {
    const error = await errorOf(openScriptedWorker({ fails: true }));
    expect(isSdfpError(error, 'artifact_mismatch') && error.param).toBe('graph');
  });

  test('profile() tells of the runs in the worker', async () => {
    const engine = await openScriptedWorker({ stepMs: 1 });
    await collect(engine, requestOf({ maxTokens: 20, speculation: { enabled: false } }));
    const profile = await engine.profile();
    expect(profile.turns).toBeGreaterThanOrEqual(20);
    expect(profile.turnMs).toBeGreaterThan(20);
    await engine.dispose();
    expect(isSdfpError(await errorOf(engine.profile()), 'engine_closed')).toBe(true);
  });

  test('the main thread stays free while the worker runs', async () => {
    const engine = await openScriptedWorker({ stepMs: 20 });
    const run = collect(engine, requestOf({ maxTokens: 10, speculation: { enabled: false } }));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 2);
    await run;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
    await engine.dispose();
  });
});

describe('startEngineWorker', () => {
  test('rejects with artifact_unreadable when the graph is not there', async () => {
    const spec = {
      graph: 'graph.onnx',
      vocabSize: 8,
      maxContextTokens: 8,
      numKvHeads: 1,
      headDim: 2,
      inputs: {
        inputIds: 'i',
        positionIds: 'p',
        attentionBias: 'b',
        outputRows: 'r',
        isDraft: null,
        pastKeys: [],
        pastValues: [],
      },
      outputs: { logits: 'l', newKeyValues: 'n' },
      draftSlots: [],
    };
    const options = { graph: { path: 'no/such/graph.onnx' }, weightsDir: '.', spec };
    const error = await errorOf(startEngineWorker(options));
    expect(isSdfpError(error, 'artifact_unreadable') && error.message).toContain('no/such/graph.onnx');
  });
});

describe('packError', () => {
  test('keeps code, message and field, and turns others into internal', () => {
    const error = unpackError(packError(new SdfpError('engine_busy', 'full', { param: 'x' })));
    expect([error.code, error.message, error.param]).toEqual(['engine_busy', 'full', 'x']);
    expect(unpackError(packError(new RangeError('no'))).code).toBe('internal');
    expect(unpackError(packError('text')).message).toBe('text');
    expect(String(unpackError(packError(new RangeError('no'))).cause)).toContain('no');
  });
});
