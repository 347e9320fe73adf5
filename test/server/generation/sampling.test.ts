import { expect, test } from 'bun:test';
import { completeSampling as forFlags, parseSampling } from '../../../src/cli/generation-flags.ts';
import { createHarness } from '../harness.ts';

const folder = { temperature: 0.7, topP: 0.9, topK: 20, repetitionPenalty: 1.1 };

test.each([
  [{}, { temperature: 0.7, topP: 0.9, topK: 20, repetitionPenalty: 1.1 }],
  [{ temperature: 0.5 }, { temperature: 0.5, topP: 0.9, topK: 20, repetitionPenalty: 1.1 }],
  [{ temperature: 0 }, { temperature: 0, topP: 1, topK: 0, repetitionPenalty: 1 }],
  [
    { temperature: 0, repetition_penalty: 1.2 },
    { temperature: 0, topK: 0, repetitionPenalty: 1.2 },
  ],
] as const)('server and command line sample alike with %j', async (choice, expected) => {
  const { post, engine } = createHarness({ defaults: folder });
  await post('/v1/completions', { prompt: 'a', seed: 1, ...choice });
  expect(engine.requests[0]!.sampling).toMatchObject(expected);
  const flags = Object.entries({ seed: 1, ...choice }).map(([name, value]) => [
    name.replaceAll('_', '-'),
    String(value),
  ]);
  const generation = { bosTokenId: undefined, eosTokenIds: [], ...folder };
  const ofFlags = forFlags(parseSampling(Object.fromEntries(flags)), generation);
  expect(ofFlags).toEqual(engine.requests[0]!.sampling);
});
