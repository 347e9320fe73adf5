import { describe, expect, test } from 'bun:test';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { collect, requestOf, scriptedEngine } from './helpers.ts';
import { withoutSpeculation } from './random-request.ts';

/** Four tokens, and the next one depends on the last three: after 64 at most, the greedy text goes round. */
const roundModel = (hasDraft: boolean) => new ScriptedModel({ vocabSize: 4, hasDraft, onStep: takeTime });

/** A step takes about as long for one token as for many, as with a real model. */
function takeTime(): void {
  const end = performance.now() + 0.5;
  while (performance.now() < end);
}

describe('prompt lookup', () => {
  test('speculates without a model draft: a text that repeats takes few steps', async () => {
    const model = roundModel(false);
    const run = await collect(scriptedEngine(model), requestOf({ maxTokens: 400 }));
    expect(run.ids).toEqual(model.greedy([1, 2, 3], 400));
    expect(model.steps.every((step) => step.mode === 'target')).toBe(true);
    expect(model.steps.length).toBeLessThan(100);
    const accepted = run.origins.filter((origin) => origin === 'lookup').length;
    expect(accepted).toBeGreaterThan(300);
    expect(run.origins).not.toContain('draft');
    expect(run.done.stats.numAcceptedTokens).toBe(accepted);
    expect(run.done.stats.numDraftTokens).toBeGreaterThanOrEqual(accepted);
  });

  test('goes before a model draft that is as good and costs more', async () => {
    const run = await collect(scriptedEngine(roundModel(true)), requestOf({ maxTokens: 400 }));
    const count = (wanted: string) => run.origins.filter((origin) => origin === wanted).length;
    expect(count('lookup')).toBeGreaterThan(count('draft'));
  });

  test('with a fixed draft length and no model draft proposes just so many tokens', async () => {
    const model = roundModel(false);
    const run = await collect(
      scriptedEngine(model),
      requestOf({ maxTokens: 200, speculation: { draftLength: 5 } }),
    );
    expect(run.ids).toEqual(model.greedy([1, 2, 3], 200));
    const { numDraftTokens, numSpecSteps } = run.done.stats;
    expect(numSpecSteps).toBeGreaterThan(20);
    expect(numDraftTokens).toBeGreaterThan(5 * (numSpecSteps - 5)); // the last rounds have less room
    expect(new Set(model.steps.slice(1, -5).map((step) => step.width))).toEqual(new Set([1, 6]));
  });

  test('is off with speculation', async () => {
    const model = roundModel(false);
    const run = await collect(scriptedEngine(model), withoutSpeculation(requestOf({ maxTokens: 100 })));
    expect(model.steps).toHaveLength(100);
    expect(new Set(run.origins)).toEqual(new Set(['target']));
  });

  test('a text that never repeats is decoded plainly', async () => {
    const model = new ScriptedModel({ vocabSize: 4000, hasDraft: false });
    const run = await collect(
      scriptedEngine(model),
      requestOf({ maxTokens: 300, sampling: { temperature: 1.5, seed: 4 } }),
    );
    expect(run.done.stats.numDraftTokens).toBeLessThan(12);
  });

  test('ends with a stop token that it guessed, and does not go on behind it', async () => {
    const model = roundModel(false);
    const text = model.greedy([1, 2, 3], 64);
    const promptIds = [1, 2, 3, ...text, 9 % 4];
    const plain = model.greedy(promptIds, 64);
    const stop = plain[40]!;
    const run = await collect(
      scriptedEngine(model),
      requestOf({ promptIds, maxTokens: 64, stopTokenIds: [stop], speculation: { draftLength: 16 } }),
    );
    expect(run.ids).toEqual(plain.slice(0, plain.indexOf(stop) + 1));
    expect(run.done.finishReason).toBe('stop');
  });
});
